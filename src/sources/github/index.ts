/**
 * GitHub webhooks, sent as JSON or as a form. Attributes follow the CloudEvents adapter for GitHub
 * (cloudevents/spec, adapters/github.md), except that `source` is the repository whenever there is one.
 */
import { refuse } from "../../http/refusal.ts";
import { isUsableUri, sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { isForm, readForm } from "../reading/form.ts";
import { type JsonObject, readJsonObject, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import {
	type ParseInput,
	type Sample,
	type Setup,
	type SetupTarget,
	defineKind,
	noSettings,
} from "../kind.ts";
import { canProve, isSigned } from "../setup/provider-secret.ts";
import { idFromHeader } from "../reading/publisher-id.ts";
import { setupAfterAuthChange } from "../setup/static-proof.ts";

/** The member that identifies the subject of an event. Default: `{event}.id`. */
const SUBJECTS = new Map(
	Object.entries({
		branch_protection_rule: "rule.id",
		code_scanning_alert: "alert.number",
		commit_comment: "comment.id",
		create: "ref",
		delete: "ref",
		dependabot_alert: "alert.number",
		deploy_key: "key.id",
		deployment_review: "workflow_run.id",
		discussion: "discussion.number",
		discussion_comment: "comment.id",
		fork: "forkee.url",
		installation_repositories: "installation.id",
		issue_comment: "comment.id",
		issues: "issue.number",
		label: "label.name",
		marketplace_purchase: "marketplace_purchase.account.login",
		member: "member.login",
		membership: "member.login",
		merge_group: "merge_group.head_sha",
		meta: "hook_id",
		milestone: "milestone.number",
		organization: "membership.user.login",
		org_block: "blocked_user.login",
		page_build: "id",
		public: "repository.name",
		pull_request: "number",
		pull_request_review: "review.id",
		pull_request_review_comment: "comment.id",
		pull_request_review_thread: "thread.node_id",
		push: "ref",
		repository: "repository.name",
		repository_import: "repository.name",
		repository_vulnerability_alert: "alert.id",
		secret_scanning_alert: "alert.number",
		security_advisory: "security_advisory.ghsa_id",
		sponsorship: "sponsorship.node_id",
		status: "sha",
		team_add: "team.id",
		workflow_dispatch: "workflow",
	}),
);

/** Tried in this order, because not every event is about a repository. */
const SOURCES = ["repository.url", "organization.url", "installation.account.url"];

export const github = defineKind({
	settings: noSettings,
	defaultAuth: { type: "github" },

	async parse(input) {
		const event = input.headers.get("x-github-event");
		if (event === null || !/^\w{1,100}$/.test(event)) {
			return refuse(
				400,
				"missing_header",
				"The header X-GitHub-Event is missing or invalid.",
				"x-github-event",
			);
		}
		const payload = readPayloadObject(input);
		if (!payload.ok) return payload;
		if (event === "ping") return { ok: true, events: [], batch: false, reply: { status: 200, body: null } };
		const { json } = payload;
		const attributes = attributesOf(event, json, input);
		return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
	},

	setup,
	sample,
});

/** GitHub signs the bytes of the form. The event contains the JSON inside. */
function readPayloadObject({ headers, body }: ParseInput): ReturnType<typeof readJsonObject> {
	if (!isForm(headers)) return readJsonRequest({ headers, body });
	const form = readForm(body);
	if (!form.ok) return form;
	const payload = form.fields.get("payload");
	if (payload === undefined) {
		return refuse(400, "invalid_payload", 'The form has no field "payload".', "payload");
	}
	return readJsonObject(new TextEncoder().encode(payload));
}

function attributesOf(event: string, json: JsonObject, { source, headers, now, freshId }: ParseInput) {
	const subject = textAt(json, ...(SUBJECTS.get(event) ?? `${event}.id`).split("."));
	const action = textAt(json, "action");
	const url = SOURCES.map((path) => textAt(json, ...path.split("."))).find(
		(url) => url !== undefined && isUsableUri(url),
	);
	return {
		id: idFromHeader(headers, "x-github-delivery") ?? freshId,
		source: url ?? sourcePath("github", source.name),
		type: ["com.github", event, ...(action === undefined ? [] : [action])].join("."),
		...(subject !== undefined && { subject }),
		time: timeOf(event, json) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
}

/** When the object that the event is named after was changed. Many events do not have this. */
function timeOf(event: string, json: JsonObject): string | undefined {
	const [entity = event] = (SUBJECTS.get(event) ?? event).split(".");
	return timeFrom(valueAt(json, entity, "updated_at")) ?? timeFrom(valueAt(json, event, "updated_at"));
}

function setup(target: SetupTarget): Setup {
	const { url, secret } = target;
	const { auth } = target.source;
	if (!canProve(auth, "github")) return setupAfterAuthChange(target, { auth: { type: "github" } });
	const secretField = isSigned(auth) ? ` -f 'config[secret]=${secret}'` : "";
	const create = [
		"repo=OWNER/REPO",
		`gh api "repos/$repo/hooks" -f name=web -F active=true -f 'events[]=*' \\`,
		`  -f 'config[url]=${url}' -f 'config[content_type]=json'${secretField}`,
	];
	const remove = [
		"repo=OWNER/REPO",
		`gh api --paginate "repos/$repo/hooks" --jq '.[] | select(.config.url == "${url}") | .id' |`,
		`  while read -r id; do gh api -X DELETE "repos/$repo/hooks/$id"; done`,
	];
	const form = [
		"Repository or organization → Settings → Webhooks → Add webhook",
		`Payload URL:   ${url}`,
		"Content type:  application/json",
		...(isSigned(auth) ? [`Secret:        ${secret}`] : []),
		"Events:        the ones you want, or all",
	];
	return {
		variants: [
			{
				name: "gh",
				title: "The GitHub CLI. GitHub refuses a second webhook with the same URL",
				steps: [{ title: "Create the webhook", language: "shell", code: create.join("\n") }],
				remove: { title: "Delete the webhook", language: "shell", code: remove.join("\n") },
			},
			{
				name: "console",
				title: "By hand. GitHub sends a ping, which gets the response 200",
				steps: [{ title: "Add a webhook", language: "text", code: form.join("\n") }],
			},
		],
	};
}

function sample(now: number): Sample {
	const repository = {
		id: 186853002,
		name: "Hello-World",
		full_name: "Codertocat/Hello-World",
		url: "https://api.github.com/repos/Codertocat/Hello-World",
	};
	const issue = {
		id: 444500041,
		number: 1,
		title: "Spelling error in the README file",
		state: "open",
		updated_at: new Date(now).toISOString(),
	};
	return {
		headers: {
			"content-type": "application/json",
			"user-agent": "GitHub-Hookshot/044aadd",
			"x-github-delivery": crypto.randomUUID(),
			"x-github-event": "issues",
			"x-github-hook-id": "109948940",
		},
		body: JSON.stringify({
			action: "opened",
			issue,
			repository,
			sender: { login: "Codertocat", id: 21031067 },
		}),
	};
}
