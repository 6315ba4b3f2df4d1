import { expect, test } from "vitest";
import { ask, badPaths, must } from "./client.ts";

const EMAIL = "pusher@app.iam.gserviceaccount.com";
let count = 0;
const create = (auth: object) =>
	must("POST", "/v1/sources", { name: `pubsub-${++count}`, kind: "gcs-pubsub", auth });

test("a source that Google's tokens prove has no secret", async () => {
	const created = await create({ type: "google_oidc", email: EMAIL });
	expect(created).toMatchObject({
		auth: { type: "google_oidc", audience: null, email: EMAIL },
		secret: null,
	});
	const path = `/v1/sources/${created["name"]}`;
	expect(await must("GET", `${path}/setup`)).toMatchObject({ secret_placeholder: null });
	expect(await ask("POST", `${path}/secret/rotate`)).toMatchObject({
		status: 409,
		body: { code: "no_secret" },
	});
});

test("by default the secret is in the URL, and the sample goes through", async () => {
	const created = await must("POST", "/v1/sources", { name: `pubsub-${++count}`, kind: "gcs-pubsub" });
	expect(created["ingest_url"]).toMatch(/\?token=/);
	const answer = await must("POST", `/v1/sources/${created["name"]}/test`);
	expect(answer["answer"]).toMatchObject({ status: 202 });
});

test("changing to it drops the secret", async () => {
	const { name } = await must("POST", "/v1/sources", { name: `pubsub-${++count}`, kind: "gcs-pubsub" });
	const auth = { type: "google_oidc", audience: "sluice", email: EMAIL };
	expect(await must("PATCH", `/v1/sources/${name}`, { auth })).toMatchObject({ auth });
	expect((await ask("PATCH", `/v1/sources/${name}`, { auth: { type: "url_token" } })).status).toBe(422);
});

test.each([
	["no email", { type: "google_oidc" }, "auth.email"],
	["an email that is none", { type: "google_oidc", email: "pusher" }, "auth.email"],
	["an empty audience", { type: "google_oidc", email: EMAIL, audience: "" }, "auth.audience"],
])("%s is 422", async (_what, auth, path) => {
	const answer = await ask("POST", "/v1/sources", { name: "x", kind: "gcs-pubsub", auth });
	expect(answer.status).toBe(422);
	expect(badPaths(answer)).toEqual([path]);
});
