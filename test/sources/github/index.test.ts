import examples from "@octokit/webhooks-examples";
import { describe, expect, test } from "vitest";
import { checkAttributes } from "../../../src/events/cloudevents/attributes.ts";
import type { CloudEvent } from "../../../src/events/event.ts";
import type { Parsed } from "../../../src/sources/kind.ts";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { FRESH_ID, parseAs, parseOne, RECEIVED_AT } from "../parse.ts";

const DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
const FORM = "application/x-www-form-urlencoded";

function headersOf(event: string): Record<string, string> {
	return { "x-github-event": event, "x-github-delivery": DELIVERY };
}

function parse(event: string, payload: unknown, headers = {}): Promise<CloudEvent> {
	return parseOne("github", { headers: { ...headersOf(event), ...headers }, body: JSON.stringify(payload) });
}

function parseForm(body: string): Promise<Parsed> {
	return parseAs("github", { headers: { ...headersOf("push"), "content-type": FORM }, body });
}

const pushed = examples.find(({ name }) => name === "push")?.examples[0];
const PUSH = JSON.stringify(pushed, null, 2);

test("a push, with its text as it came", async () => {
	expect(await parseAs("github", { headers: headersOf("push"), body: PUSH })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: DELIVERY,
					source: "https://github.com/Codertocat/Hello-World",
					type: "com.github.push",
					subject: "refs/tags/simple-tag",
					time: RECEIVED_AT,
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: PUSH },
			},
		],
		batch: false,
	});
});

/** What the first example of each event is called and about. */
const EXPECTED: Record<string, [type: string, subject: string | undefined]> = {
	branch_protection_rule: ["com.github.branch_protection_rule.edited", "21796960"],
	check_run: ["com.github.check_run.created", "128620228"],
	check_suite: ["com.github.check_suite.completed", "118578147"],
	code_scanning_alert: ["com.github.code_scanning_alert.reopened", "10"],
	commit_comment: ["com.github.commit_comment.created", "33548674"],
	create: ["com.github.create", "simple-tag"],
	delete: ["com.github.delete", "simple-tag"],
	dependabot_alert: ["com.github.dependabot_alert.fixed", "1"],
	deploy_key: ["com.github.deploy_key.created", "100"],
	deployment: ["com.github.deployment.created", "145988746"],
	deployment_review: ["com.github.deployment_review.requested", "5453085689"],
	deployment_status: ["com.github.deployment_status.created", "209916254"],
	discussion: ["com.github.discussion.created", "90"],
	discussion_comment: ["com.github.discussion_comment.created", "544078"],
	fork: ["com.github.fork", "https://api.github.com/repos/Octocoders/Hello-World"],
	github_app_authorization: ["com.github.github_app_authorization.revoked", undefined],
	gollum: ["com.github.gollum", undefined],
	installation: ["com.github.installation.deleted", "2"],
	installation_repositories: ["com.github.installation_repositories.added", "957387"],
	issue_comment: ["com.github.issue_comment.created", "492700400"],
	issues: ["com.github.issues.edited", "1"],
	label: ["com.github.label.deleted", ":bug: Bugfix"],
	marketplace_purchase: ["com.github.marketplace_purchase.purchased", "username"],
	member: ["com.github.member.added", "hacktocat"],
	membership: ["com.github.membership.removed", "Codertocat"],
	merge_group: ["com.github.merge_group.checks_requested", "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d"],
	meta: ["com.github.meta.deleted", "101047067"],
	milestone: ["com.github.milestone.created", "1"],
	organization: ["com.github.organization.member_added", "hacktocat"],
	org_block: ["com.github.org_block.blocked", "hacktocat"],
	package: ["com.github.package.published", "10696"],
	page_build: ["com.github.page_build", "130514899"],
	project: ["com.github.project.created", "2640902"],
	project_card: ["com.github.project_card.created", "21567453"],
	project_column: ["com.github.project_column.created", "5368157"],
	projects_v2_item: ["com.github.projects_v2_item.created", "15"],
	public: ["com.github.public", "Hello-World"],
	pull_request: ["com.github.pull_request.opened", "2"],
	pull_request_review: ["com.github.pull_request_review.submitted", "237895671"],
	pull_request_review_comment: ["com.github.pull_request_review_comment.created", "284312630"],
	pull_request_review_thread: ["com.github.pull_request_review_thread.resolved", "PRRT_kwDOEL39TM4w7XDQ"],
	push: ["com.github.push", "refs/tags/simple-tag"],
	release: ["com.github.release.published", "17372790"],
	repository_dispatch: ["com.github.repository_dispatch.on-demand-test", undefined],
	repository: ["com.github.repository.publicized", "Hello-World"],
	repository_import: ["com.github.repository_import", "Hello-World"],
	repository_vulnerability_alert: ["com.github.repository_vulnerability_alert.create", "91095730"],
	security_advisory: ["com.github.security_advisory.published", "GHSA-rf4j-j272-fj86"],
	sponsorship: ["com.github.sponsorship.created", "MDExOlNwb25zb3JzaGlwMQ=="],
	star: ["com.github.star.created", undefined],
	status: ["com.github.status", "6113728f27ae82c7b1a177c8d03f9e96e0adf246"],
	team: ["com.github.team.added_to_repository", "3253328"],
	team_add: ["com.github.team_add", "3253328"],
	watch: ["com.github.watch.started", undefined],
	workflow_dispatch: ["com.github.workflow_dispatch", ".github/workflows/hello-world-workflow.yml"],
	workflow_job: ["com.github.workflow_job.in_progress", "2832853555"],
	workflow_run: ["com.github.workflow_run.completed", "1589141559"],
};

describe("GitHub's own examples", () => {
	const events = examples.filter(({ name }) => name !== "ping");

	test("every event is in the table", () => {
		expect(events).toHaveLength(57);
		expect(Object.keys(EXPECTED)).toEqual(events.map(({ name }) => name));
	});

	test.each(events)("$name", async ({ name, examples }) => {
		for (const [index, example] of (examples as object[]).entries()) {
			const body = JSON.stringify(example);
			const { attributes, data } = await parseOne("github", { headers: headersOf(name), body });
			expect(data).toEqual({ kind: "json", text: body });
			expect(checkAttributes(Object.entries({ specversion: "1.0", ...attributes })).ok).toBe(true);
			expect(attributes.id).toBe(DELIVERY);
			expect(attributes.source).toMatch(/^https?:\/\/|^\/github\/publisher-1$/);
			expect(attributes.type).toMatch(new RegExp(String.raw`^com\.github\.${name}(\.[\w-]+)?$`));
			if (index === 0) expect([attributes.type, attributes.subject]).toEqual(EXPECTED[name]);
		}
	});
});

describe("attributes", () => {
	test.each([
		[
			"the repository",
			{ repository: { url: "https://ghe.example/r" }, organization: { url: "https://o" } },
			"https://ghe.example/r",
		],
		[
			"else the organization",
			{ organization: { url: "https://api.github.com/orgs/o" } },
			"https://api.github.com/orgs/o",
		],
		[
			"else the account of the installation",
			{ installation: { account: { url: "https://a" } } },
			"https://a",
		],
		["else the source", {}, "/github/publisher-1"],
		["no URL that is none", { repository: { url: "not a url" } }, "/github/publisher-1"],
	])("source is %s", async (_what, payload, source) => {
		expect((await parse("watch", payload)).attributes.source).toBe(source);
	});

	test("time is when the entity changed", async () => {
		const at = "2019-05-15T15:20:18Z";
		expect((await parse("issues", { issue: { number: 1, updated_at: at } })).attributes.time).toBe(at);
		expect(
			(await parse("pull_request", { number: 1, pull_request: { updated_at: at } })).attributes.time,
		).toBe(at);
		expect((await parse("installation", { installation: { id: 1, updated_at: 1 } })).attributes.time).toBe(
			"1970-01-01T00:00:01.000Z",
		);
		expect((await parse("issues", { issue: { updated_at: "yesterday" } })).attributes.time).toBe(RECEIVED_AT);
	});

	test("ids beyond 2^53 keep their digits", async () => {
		const body = '{"check_run": {"id": 9223372036854775807}}';
		const { attributes } = await parseOne("github", { headers: headersOf("check_run"), body });
		expect(attributes.subject).toBe("9223372036854775807");
	});

	test("an event without a delivery id gets one", async () => {
		expect((await parse("push", {}, { "x-github-delivery": "" })).attributes.id).toBe(FRESH_ID);
	});

	test.each(["constructor", "__proto__", "toString"])("an event may be called %s", async (event) => {
		const { type, subject } = (await parse(event, { id: 1 })).attributes;
		expect([type, subject]).toEqual([`com.github.${event}`, undefined]);
	});

	test.each([undefined, "", "a b", "push, push", "x".repeat(101)])("event %j is refused", async (event) => {
		const headers = event === undefined ? {} : { "x-github-event": event };
		expect(await parseAs("github", { headers, body: PUSH })).toMatchObject({
			status: 400,
			code: "missing_header",
		});
	});
});

describe("a webhook that sends forms", () => {
	test("the data is the JSON inside of it, to the letter", async () => {
		const text = '{ "ref": "refs/heads/é+ %41", "n": 9007199254740993 }';
		const body = `payload=${encodeURIComponent(text).replaceAll("%20", "+")}`;
		const parsed = await parseForm(body);
		expect(parsed).toMatchObject({
			events: [
				{
					attributes: { subject: "refs/heads/é+ %41", datacontenttype: "application/json" },
					data: { kind: "json", text },
				},
			],
		});
	});

	test("the signature covers the bytes of the form", async () => {
		const queue = captureQueue();
		const body = `payload=${encodeURIComponent(PUSH)}`;
		const headers = { "content-type": FORM };
		expect((await post(sourceOf("github"), queue, { body, headers })).status).toBe(202);
		expect((await queue.events())[0]?.data).toEqual({ kind: "json", text: PUSH });
	});

	test.each([
		["no payload", "a=b", "invalid_payload"],
		["an empty form", "", "invalid_payload"],
		["a payload that is no JSON", "payload=%7B", "invalid_json"],
		["a payload that is no object", "payload=%5B%5D", "invalid_payload"],
		["invalid UTF-8", "payload=%C0%A0", "invalid_form"],
		["a broken escape", "payload=%7", "invalid_form"],
	])("refused: %s", async (_what, body, code) => {
		expect(await parseForm(body)).toMatchObject({ ok: false, status: 400, code });
	});
});

test("a ping gets the response 200 and creates no event", async () => {
	const queue = captureQueue();
	const pings = examples.find(({ name }) => name === "ping")?.examples ?? [];
	expect(pings).not.toHaveLength(0);
	for (const ping of pings) {
		const response = await post(sourceOf("github"), queue, {
			body: JSON.stringify(ping),
			headers: headersOf("ping"),
		});
		expect(response.status).toBe(200);
	}
	expect(queue.messages).toEqual([]);
});

test("a delivery that is made again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("github");
	for (let i = 0; i < 2; i++) {
		const response = await post(source, queue, { body: PUSH, headers: headersOf("push") });
		expect(response.status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

describeBadInput("github", { isTimed: false });
