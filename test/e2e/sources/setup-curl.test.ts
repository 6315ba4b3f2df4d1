/** What the router tells a new user to paste into a terminal works when it is pasted. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { unique } from "../support/api.ts";
import { ROOT_KEY } from "../support/router.setup.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";

const stage = setting();
const run = promisify(execFile);

interface Setup {
	secret_placeholder: string | null;
	variants: { name: string; steps: { language: string; code: string }[] }[];
}

/** The shell code for a source, with the secret in its place. */
async function shellCode(source: { id: string; secret: string | null }): Promise<string> {
	const setup = await stage.api.must<Setup>("GET", `/v1/sources/${source.id}/setup`);
	const step = setup.variants.find(({ name }) => name === "curl")?.steps[0];
	if (step?.language !== "shell") throw new Error(`no shell code: ${JSON.stringify(setup)}`);
	if (setup.secret_placeholder === null) return step.code;
	expect(step.code).toContain(setup.secret_placeholder);
	return step.code.replaceAll(setup.secret_placeholder, () => source.secret ?? "");
}

/** Pastes it; answers the id of the event that was accepted. */
async function paste(code: string): Promise<string> {
	// The plainest shell there is.
	const { stdout } = await run("sh", ["-c", code]);
	expect(stdout).toMatch(/^HTTP\/1\.1 202 /);
	const body = stdout.slice(stdout.indexOf("\r\n\r\n")).trim();
	return (JSON.parse(body) as { id: string }).id;
}

async function readData(id: string): Promise<unknown> {
	return until(`event ${id} to be logged`, async () => {
		const { status, body } = await stage.api.ask<{ data: unknown }>("GET", `/v1/events/${id}`);
		return status === 200 ? body.data : null;
	});
}

describe.concurrent("the curl command for a source of kind generic", () => {
	test.each([
		[{ type: "bearer" }],
		[{ type: "basic" }],
		[{ type: "basic", username: "it's $HOME" }],
		[{ type: "header", name: "x-api-key" }],
		[{ type: "hmac", header: "x-signature" }],
		[{ type: "hmac", header: "x-signature", algorithm: "sha1", prefix: "sha1=" }],
		[
			{
				type: "hmac",
				header: "x-signature",
				algorithm: "sha512",
				encoding: "base64",
				prefix: '`id` "$1" \\ ',
			},
		],
		[{ type: "hmac", header: "x-signature", secret_encoding: "hex" }],
		[{ type: "hmac", header: "x-signature", secret_encoding: "base64" }],
		[
			{
				type: "hmac",
				header: "x-signature",
				encoding: "base64",
				signed_content: '{method}{url}"$1`{header:x-id}\\{body}{header:content-type}{timestamp}',
				timestamp_header: "x-time",
			},
		],
		[{ type: "standard_webhooks" }],
		[{ type: "github" }],
		[{ type: "shopify" }],
		[{ type: "slack" }],
		[{ type: "stripe" }],
		[{ type: "url_token" }],
		[{ type: "none" }],
	])("%j", async (auth) => {
		const source = await stage.api.createSource({ auth });
		expect(await readData(await paste(await shellCode(source)))).toEqual({ hello: "world" });
	});
});

test("the curl command for a signed form", async () => {
	const auth = { type: "hmac", header: "x-signature", algorithm: "sha1", signed_content: "{url}{form}" };
	const source = await stage.api.createSource({ auth, settings: { form: "json" } });
	expect(await readData(await paste(await shellCode(source)))).toEqual({ hello: "world" });
});

test.each(["bearer", "standard_webhooks"])("the curl command of kind cloudevents, with %s", async (type) => {
	const source = await stage.api.createSource({ kind: "cloudevents", auth: { type } });
	expect(await readData(await paste(await shellCode(source)))).toEqual({ hello: "world" });
});

test("the curl command of kind standard-webhooks", async () => {
	const source = await stage.api.createSource({ kind: "standard-webhooks", name: unique("contacts") });
	expect(await readData(await paste(await shellCode(source)))).toMatchObject({ type: "contact.created" });
});

test("the commands that make a database sign are pasted, and print the secret that the SQL needs", async () => {
	const source = await stage.api.createSource({ kind: "postgres", auth: { type: "bearer" } });
	const setup = await stage.api.must<Setup>("GET", `/v1/sources/${source.id}/setup`);
	const [variant] = setup.variants;
	expect(variant?.name).toBe("pg_net-signed");
	const [step] = variant?.steps ?? [];
	const { stdout } = await run("sh", ["-c", step?.code ?? ""], {
		env: { ...process.env, ADMIN_TOKEN: ROOT_KEY },
	});
	expect(stdout.trim()).toMatch(/\nwhsec_[A-Za-z0-9+/]{43}=$/);
	const changed = await stage.api.must<object>("GET", `/v1/sources/${source.id}`);
	expect(changed).toMatchObject({ auth: { type: "standard_webhooks" } });
});

test("with another secret than the source's it is refused", async () => {
	const source = await stage.api.createSource({ auth: { type: "hmac", header: "x-signature" } });
	const code = await shellCode({ ...source, secret: "somebody-else's".replace("'", "") });
	const { stdout } = await run("sh", ["-c", code]);
	expect(stdout).toMatch(/^HTTP\/1\.1 401 /);
});
