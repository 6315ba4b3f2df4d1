/** Whether a model is ready, as real servers were asked and what they said. Cog's logs are left out of its responses. */
import { describe, expect, test } from "vitest";
import { PROTOCOL_NAMES } from "../../src/models/registry.ts";
import ready from "./captures/ready.json";
import { find, type Captures } from "./captures.ts";

const captures: Captures = ready;
const HOST = "https://models.example.com";

function probeOf(protocol: string) {
	const probe = find(protocol).ready;
	if (probe === undefined) throw new Error(`${protocol} cannot be asked`);
	return probe;
}

interface Said {
	status: number;
	body?: string;
}

function isReady(protocol: string, { status, body = "" }: Said, model: string | null = "m"): boolean | null {
	return probeOf(protocol).isReady({ status, headers: {}, body: Buffer.from(body) }, { url: HOST, model });
}

describe("as recorded", () => {
	test.each([
		["open-inference", "kserve-v2-ready", "iris", true],
		["open-inference", "kserve-notready-GET-v2_models_iris_ready", "iris", false],
		// Its /v2/health/ready said {"ready":true} at the same moment.
		["open-inference", "kserve-cold-v2-model-ready", "iris", false],
		["open-inference", "mlserver-model-ready", "iris", true],
		["open-inference", "mlserver-version-ready", "iris/versions/v1.2.0", true],
		["open-inference", "mlserver-model-ready-unknown", "nope", false],
		["open-inference", "mlserver-ready-unloaded", "text", false],
		["open-inference", "mlserver-notready-GET-v2_models_late_ready", "late", false],
		["kserve-v1", "kserve-v1-model", "iris", true],
		["kserve-v1", "kserve-cold-v1-model", "iris", false],
		["cog", "cog-health-ready", null, true],
		["cog", "cog-health-busy", null, false],
		["cog", "cog-health-starting", null, false],
		["bentoml", "bentoml-readyz", "read", true],
		["bentoml", "bentoml-readyz-while-saturated", "read", true],
		// It answers chats all the same.
		["openai-chat", "openai-models", "lit", null],
	] as const)("%s, %s: %s is ready: %j", (protocol, name, model, expected) => {
		const capture = captures[name];
		if (capture === undefined) throw new Error(`no capture ${name}`);
		const { method, path } = capture.request;
		const request = probeOf(protocol).request({ url: HOST, model });
		expect(request).toMatchObject({ method, url: HOST + path, body: null });
		expect(isReady(protocol, capture.response, model)).toBe(expected);
	});
});

describe("as documented", () => {
	test.each([
		["open-inference", { status: 200, body: '{"name":"m","ready":false}' }, false],
		["kserve-v1", { status: 200, body: '{"name":"m","ready":"True"}' }, true],
		["kserve-v1", { status: 200, body: '{"name":"m","ready":false}' }, false],
		["kserve-v1", { status: 200, body: '{"model_version_status":[{"state":"AVAILABLE"}]}' }, true],
		["kserve-v1", { status: 200, body: '{"model_version_status":[{"state":"LOADING"}]}' }, false],
		["kserve-v1", { status: 200, body: '{"displayName":"an endpoint of Vertex AI"}' }, null],
		["kserve-v1", { status: 503 }, false],
		["cog", { status: 200, body: '{"status":"SETUP_FAILED"}' }, false],
		["cog", { status: 200, body: "READY" }, false],
		["bentoml", { status: 503 }, false],
		["bentoml", { status: 404 }, null],
		["openai-chat", { status: 200, body: '{"object":"list","data":[{"id":"m","object":"model"}]}' }, true],
		["openai-embeddings", { status: 200, body: '{"data":[{"id":"another"}]}' }, null],
		["openai-chat", { status: 200, body: "<html>" }, null],
		["openai-chat", { status: 503, body: '{"error":{"message":"Loading model"}}' }, false],
		["openai-chat", { status: 401 }, null],
	] as const)("%s: %j is ready: %j", (protocol, response, expected) => {
		expect(isReady(protocol, response)).toBe(expected);
	});
});

describe("the URL", () => {
	test.each([
		["open-inference", `${HOST}/a/?k=1`, "m", `${HOST}/a/v2/models/m/ready?k=1`],
		["open-inference", `${HOST}/v2/models/m/infer?k=1`, null, `${HOST}/v2/models/m/ready?k=1`],
		["kserve-v1", `${HOST}/v1/models/m:predict`, null, `${HOST}/v1/models/m`],
		["kserve-v1", `${HOST}/v1/models/m:explain?k=1`, null, `${HOST}/v1/models/m?k=1`],
		["cog", `${HOST}/a/predictions`, null, `${HOST}/a/health-check`],
		["bentoml", `${HOST}/read`, null, `${HOST}/readyz`],
		["bentoml", `${HOST}/reader/read?k=1`, null, `${HOST}/reader/readyz?k=1`],
		["openai-chat", `${HOST}/v1`, "m", `${HOST}/v1/models`],
		["openai-chat", `${HOST}/api/v1/chat/completions`, null, `${HOST}/api/v1/models`],
		["openai-embeddings", `${HOST}/v1/embeddings?k=1`, null, `${HOST}/v1/models?k=1`],
	])("%s at %s", (protocol, url, model, asked) => {
		expect(probeOf(protocol).request({ url, model }).url).toBe(asked);
	});
});

test("protocols of any server, of hosted ones and of destinations cannot be asked", () => {
	const silent = PROTOCOL_NAMES.filter((name) => find(name).ready === undefined);
	expect(silent).toEqual([
		"http",
		"cloudevents",
		"huggingface",
		"replicate",
		"workers-ai",
		"queue",
		"sqs",
		"slack",
	]);
});
