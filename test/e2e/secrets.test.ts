/** Where secrets may stand after they have been used: sealed in D1 and KV, and nowhere else in any form. */
import { createHmac } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startRouter } from "../../scripts/router.ts";
import type { Router } from "../../scripts/router.ts";
import { connect, isFinished, unique } from "./support/api.ts";
import type { Api, Source } from "./support/api.ts";
import { answer, answerJson } from "./support/behaviours.ts";
import { findTexts, namesIn } from "./support/find-texts.ts";
import type { Behaviour } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const stage = setting();

/** Every secret that this suite gives to the router, or sends it. */
const planted: Record<string, string> = {};
function plant(name: string, text = unique(name.replaceAll(/\W+/g, "-"))): string {
	planted[name] = text;
	return text;
}

const vars = {
	ADMIN_TOKEN: plant("ADMIN_TOKEN"),
	ENCRYPTION_KEY: plant("ENCRYPTION_KEY"),
	ALLOW_PRIVATE_ENDPOINTS: "true",
};
let folder: string;
let router: Router;
let api: Api;
const lines: string[] = [];

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-secrets-"));
	// What wrangler and workerd keep for the moment is to be looked through too.
	for (const name of ["TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"]) vi.stubEnv(name, folder);
	const leftovers = join(folder, "state", "v3", "observability");
	await mkdir(leftovers, { recursive: true });
	await writeFile(join(leftovers, "traces.sqlite"), plant("kept by release 0.1 in its traces"));
	await writeFile(join(folder, "state", "vars.env"), plant("kept by release 0.1 as a variable"));
	router = await startRouter({
		port: 0,
		vars,
		persistTo: join(folder, "state"),
		log: (line) => lines.push(line),
	});
	api = connect(router.url, vars.ADMIN_TOKEN);
});
afterAll(async () => {
	await router.stop();
	vi.unstubAllEnvs();
	await rm(folder, { recursive: true, force: true });
});

test("no secret is stored or printed in clear, whatever it was used for", async () => {
	for (const [name, publish] of Object.entries(publishers)) await useSource(name, publish);
	await Promise.all(Object.entries(endpoints).map(([name, fields]) => useEndpoint(name, fields())));
	await connect(router.url, plant("wrong token")).ask("GET", "/v1/sources");
	await useKey();

	const printed = namesIn(lines.join("\n"), planted);
	// While it runs, the Worker's own variables stand in the one file that wrangler reads them from.
	const whileUp = (await findTexts(folder, planted)).filter(
		({ file, name }) => !(Object.hasOwn(vars, name) && file.endsWith("vars.env")),
	);
	await router.stop();
	const afterwards = [
		...(await findTexts(folder, planted)),
		...(await findTexts(join(PROJECT, ".wrangler"), planted)),
	];

	expect(printed).toEqual([]);
	// A URL is configuration, read back as it was given; its query stands there and in no log, event or delivery.
	const elsewhere = [...whileUp, ...afterwards].filter(
		({ file, name }) => !(name.startsWith("url of") && file.startsWith(join("state", "v3", "d1"))),
	);
	expect(elsewhere).toEqual([]);
	expect(await columnsWith("url of")).toEqual(["endpoints.url"]);
});

/** A key that is made, used, refused a change, and deleted. */
async function useKey(): Promise<void> {
	const fields = { name: unique("key"), role: "viewer" };
	const { id, key } = await api.must<{ id: string; key: string }>("POST", "/v1/keys", fields);
	const viewer = connect(router.url, plant("API key", key));
	expect(await viewer.ask("GET", "/v1/sources")).toMatchObject({ status: 200 });
	expect(await viewer.ask("POST", "/v1/sources", { name: unique("source") })).toMatchObject({ status: 403 });
	await api.must("DELETE", `/v1/keys/${id}`);
	expect(await viewer.ask("GET", "/v1/sources")).toMatchObject({ status: 401 });
}

/** How each kind of source is proved a request; `secret` is the source's, or a wrong one. */
type Publish = (source: Source, secret: string) => { url?: string; headers?: Record<string, string> };
const BODY = '{"number":1}';

const publishers: Record<string, { auth: object } & { prove: Publish }> = {
	bearer: {
		auth: { type: "bearer" },
		prove: (_, secret) => ({ headers: { authorization: `Bearer ${secret}` } }),
	},
	"url token": {
		auth: { type: "url_token" },
		prove: ({ ingest_url: url }, secret) => ({ url: `${url.split("?", 1)[0]}?token=${secret}` }),
	},
	basic: {
		auth: { type: "basic", username: "publisher" },
		prove: (_, secret) => ({ headers: { authorization: `Basic ${btoa(`publisher:${secret}`)}` } }),
	},
	header: {
		auth: { type: "header", name: "x-proof" },
		prove: (_, secret) => ({ headers: { "x-proof": secret } }),
	},
	hmac: {
		auth: { type: "hmac", header: "x-signature" },
		prove: (_, secret) => ({
			headers: { "x-signature": createHmac("sha256", secret).update(BODY).digest("hex") },
		}),
	},
	"standard webhooks": {
		auth: { type: "standard_webhooks" },
		prove: (_, secret) => {
			const now = new Date();
			const id = unique("msg");
			return {
				headers: {
					"webhook-id": id,
					"webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
					"webhook-signature": new Webhook(secret).sign(id, now, BODY),
				},
			};
		},
	},
};

/** One request that is accepted, one that is refused, and one with a secret that replaced the first. */
async function useSource(name: string, { auth, prove }: { auth: object; prove: Publish }): Promise<void> {
	const source = await api.createSource({ auth, secret: secretFor(name, name) });
	const next = secretFor(name, `${name}, rotated`);
	const send = async (secret: string) => {
		const { url = source.ingest_url, headers = {} } = prove(source, secret);
		return api.ingest(url, BODY, { "content-type": "application/json", ...headers });
	};
	expect(await send(source.secret), name).toMatchObject({ status: 202 });
	expect(await send(secretFor(name, `${name}, wrong`)), name).toMatchObject({ status: 401 });
	await api.must("POST", `/v1/sources/${source.id}/secret/rotate`, { secret: next });
	expect(await send(next), name).toMatchObject({ status: 202 });
}

function secretFor(kind: string, name: string): string {
	if (kind !== "standard webhooks") return plant(name);
	return plant(name, `whsec_${Buffer.from(unique("standard webhooks secret")).toString("base64")}`);
}

/** A model that fails with all it was sent, and then answers. */
const echo: Behaviour = (response, request) => {
	response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify(request.headers));
};
const model = () => stage.receiver.model(echo, answerJson('{"ok":true}')).url;

const endpoints: Record<string, () => { url: string } & Record<string, unknown>> = {
	"bearer token": () => ({ url: model(), auth: { type: "bearer", token: plant("bearer token") } }),
	password: () => ({
		url: model(),
		auth: { type: "basic", username: "router", password: plant("password") },
	}),
	"header auth": () => ({
		url: model(),
		auth: { type: "header", name: "x-proof", value: plant("header auth") },
	}),
	"key of AWS": () => ({
		url: model(),
		auth: {
			type: "aws_sigv4",
			access_key_id: "AKIAIOSFODNN7EXAMPLE",
			secret_access_key: plant("key of AWS"),
			session_token: plant("key of AWS, session"),
			region: "eu-west-1",
			service: "execute-api",
		},
	}),
	"client secret": () => ({
		url: model(),
		auth: {
			type: "oauth2_client_credentials",
			token_url: stage.receiver.model(
				answerJson(JSON.stringify({ access_token: plant("client secret, access token") })),
			).url,
			client_id: "router",
			client_secret: plant("client secret"),
		},
	}),
	"client secret in a body": () => ({
		url: model(),
		auth: {
			type: "oauth2_client_credentials",
			// It quotes what it refuses.
			token_url: stage.receiver.model((response, request) => {
				const said = JSON.stringify({ error: "invalid_client", error_description: String(request.body) });
				response.writeHead(500, { "content-type": "application/json" }).end(said);
			}).url,
			client_id: "router",
			client_secret: plant("client secret in a body"),
			client_auth: "body",
		},
	}),
	"header key": () => ({ url: model(), headers: { "x-api-key": plant("header key") } }),
	"url of a model": () => ({ url: `${model()}?key=${plant("url of a model")}` }),
	"url of a redirect": () => ({
		url: `${stage.receiver.model(answer(302, "", { location: "/elsewhere" })).url}?key=${plant("url of a redirect")}`,
	}),
	"url of nothing": () => ({ url: `http://127.0.0.1:1/?key=${plant("url of nothing")}` }),
};

/** An event goes to the endpoint until its schedule is used up or it succeeds; a result goes on as an event. */
async function useEndpoint(name: string, fields: { url: string }): Promise<void> {
	const signingSecret = (which: string) =>
		plant(
			`signing secret, ${which}${name}`,
			`whsec_${Buffer.from(unique("a signing secret")).toString("base64")}`,
		);
	const type = unique("scan");
	const endpoint = await api.createEndpoint({
		...fields,
		signing_secret: signingSecret(""),
		retry: { schedule_seconds: [1], busy_max_wait_seconds: 0 },
	});
	await api.must("POST", `/v1/endpoints/${endpoint.id}/secret/rotate`, {
		secret: signingSecret("rotated, "),
	});
	await api.createSubscription({ endpoint: endpoint.id, types: [type], result: { type: `${type}.read` } });
	await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);
}

/** The columns of D1, as `table.column`, where a text stands whose name begins so. */
async function columnsWith(prefix: string): Promise<string[]> {
	const texts = Object.fromEntries(Object.entries(planted).filter(([name]) => name.startsWith(prefix)));
	const d1 = join(folder, "state", "v3", "d1");
	const files = (await readdir(d1, { recursive: true })).filter((file) => file.endsWith(".sqlite"));
	const columns = new Set<string>();
	for (const file of files) {
		const database = new DatabaseSync(join(d1, file));
		for (const { name: table } of database
			.prepare("select name from sqlite_master where type = 'table'")
			.all()) {
			for (const row of database.prepare(`select * from "${String(table)}"`).all()) {
				for (const [column, value] of Object.entries(row)) {
					if (namesIn(String(value), texts).length > 0) columns.add(`${String(table)}.${column}`);
				}
			}
		}
		database.close();
	}
	return [...columns];
}
