import { expect, inject, test } from "vitest";
import { pull } from "../../../src/ingest/queues/pull.ts";
import { captureQueue } from "../../sources/capture.ts";
import { makeSource } from "../../sources/make-source.ts";

const { url, accessKeyId, secretAccessKey } = inject("sqs");
const REGION = "eu-central-1";

/** One round over a queue of the stub that holds `bodies`, and what is left in it. */
async function pullFrom(name: string, bodies: readonly string[], router = captureQueue()) {
	const queueUrl = `${url}/123456789012/${name}`;
	const control = async (changes: object): Promise<{ deleted: string[] }> => {
		const response = await fetch(`${url}/control/${name}`, { method: "POST", body: JSON.stringify(changes) });
		return response.json();
	};
	await control({ send: bodies.map((body, index) => ({ id: `m-${index}`, body })) });
	const settings = { queue_url: queueUrl, region: REGION, access_key_id: accessKeyId };
	const source = makeSource({ kind: "sqs", settings });
	const key = { url: queueUrl, region: REGION, accessKeyId, secretAccessKey };
	const pulled = await pull(router.env, source, key, new AbortController().signal);
	return { pulled, router, deleted: (await control({})).deleted };
}

test("messages that are large together go on in several, none with more than a request may bring", async () => {
	const bodies = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(500_000));
	const { pulled, router, deleted } = await pullFrom("large-together", bodies);
	expect(pulled).toEqual({ kind: "polled", messages: 5 });
	expect(router.messages).toHaveLength(3);
	expect((await router.events()).map(({ data }) => data)).toEqual(
		bodies.map((text) => ({ kind: "text", text })),
	);
	expect(deleted).toHaveLength(5);
});

test("small messages go on in one", async () => {
	const { router } = await pullFrom("small-together", ["1", "2", "3"]);
	expect(router.messages).toHaveLength(1);
	expect(await router.events()).toHaveLength(3);
});

test("nothing is deleted that the router's queue has not taken", async () => {
	const { pulled, deleted } = await pullFrom(
		"not-taken",
		["1"],
		captureQueue(new Error("Too Many Requests")),
	);
	expect(pulled).toEqual({ kind: "failed", error: expect.stringContaining("Nothing was accepted") });
	expect(deleted).toEqual([]);
});
