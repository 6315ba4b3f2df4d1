import { describe, expect, test } from "vitest";
import type { SluiceEvent } from "../../src/events/event.ts";
import type { ModelRequest, Protocol } from "../../src/models/protocol.ts";
import { reading } from "../../src/models/responses/reading.ts";
import { PROTOCOL_NAMES, protocolOf } from "../../src/models/registry.ts";

const event: SluiceEvent = {
	id: "evt_1",
	sourceId: "src_1",
	receivedAt: 0,
	attributes: {
		id: "42",
		source: "/sources/db",
		type: "document.inserted",
		subject: "scans/über.png",
		datacontenttype: "application/json",
		dataschema: "https://example.com/schema",
	},
	data: { kind: "json", text: '{"id": 9007199254740993, "b": 1.50}' },
};

const context = {
	url: "https://models.example.com/x",
	model: null,
	deliveryId: "dlv_1",
	jobId: "dlv_1",
	completion: "sync",
	callbackUrl: null,
} as const;

/** Both protocols post to the endpoint's URL as it is. */
function build(
	protocol: string,
	transformed: string | null,
	sent: SluiceEvent = event,
): Pick<ModelRequest, "headers" | "body"> {
	const request = find(protocol).request({ event: sent, transformed }, context);
	if ("misfit" in request) throw new Error(request.misfit);
	const { method, url, ...rest } = request;
	expect({ method, url }).toEqual({ method: "POST", url: context.url });
	return rest;
}

function find(name: string): Protocol {
	const protocol = protocolOf(name);
	if (protocol === null) throw new Error(`no protocol ${name}`);
	return protocol;
}

describe("http", () => {
	test("sends the event as structured CloudEvents JSON, its data byte for byte", () => {
		const { headers, body } = build("http", null);
		expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
		expect(body).toContain('"data":{"id": 9007199254740993, "b": 1.50}');
		expect(JSON.parse(String(body))).toMatchObject({ specversion: "1.0", ...event.attributes });
	});

	test("does not send the router's own facts about the event", () => {
		expect(Object.keys(JSON.parse(String(build("http", null).body))).toSorted()).toEqual(
			["data", "specversion", ...Object.keys(event.attributes)].toSorted(),
		);
	});

	test("sends the transform's value as it is", () => {
		expect(build("http", '"just a string"')).toEqual({
			headers: { "content-type": "application/json" },
			body: '"just a string"',
		});
	});
});

describe("cloudevents", () => {
	test.each([
		["that release 0.1 took", "x".repeat(300_000)],
		["that percent-encoding makes too long", "€".repeat(300)],
	])("sends attributes %s in structured mode, with data and transform", (_what, note) => {
		const extensions = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`note${index}`, note]));
		const long = { ...event, attributes: { ...event.attributes, ...extensions } };
		for (const [transformed, data] of [
			[null, '{"id": 9007199254740993, "b": 1.50}'],
			["[1.0]", "[1.0]"],
		] as const) {
			const { headers, body } = build("cloudevents", transformed, long);
			expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
			expect(body).toContain(`"data":${data}`);
			expect(JSON.parse(String(body))).toMatchObject({ id: "42", note0: note, note7: note });
		}
	});

	test("sends attributes as headers and the data as the body", () => {
		expect(build("cloudevents", null)).toEqual({
			headers: {
				"ce-specversion": "1.0",
				"ce-id": "42",
				"ce-source": "/sources/db",
				"ce-type": "document.inserted",
				"ce-subject": "scans/%C3%BCber.png",
				"ce-dataschema": "https://example.com/schema",
				"content-type": "application/json",
			},
			body: '{"id": 9007199254740993, "b": 1.50}',
		});
	});

	test("sends the transform's value as JSON under the event's attributes, without the schema of the old data", () => {
		const image: SluiceEvent = {
			...event,
			attributes: { ...event.attributes, datacontenttype: "image/png" },
			data: { kind: "binary", base64: "iVBORw==" },
		};
		expect(build("cloudevents", '{"path":"scans/über.png"}', image)).toEqual({
			headers: {
				"ce-specversion": "1.0",
				"ce-id": "42",
				"ce-source": "/sources/db",
				"ce-type": "document.inserted",
				"ce-subject": "scans/%C3%BCber.png",
				"content-type": "application/json",
			},
			body: '{"path":"scans/über.png"}',
		});
		expect(image.attributes["dataschema"]).toBe("https://example.com/schema");
	});

	test("sends bytes as bytes", () => {
		const image: SluiceEvent = { ...event, data: { kind: "binary", base64: "iVBORw==" } };
		expect(build("cloudevents", null, image).body).toEqual(Buffer.from("iVBORw==", "base64"));
	});
});

test.each(["http", "cloudevents"])("%s reads an output by the headers of its response", (name) => {
	const body = Buffer.from('{"text": "hello"}');
	const headers = { "content-type": "application/json", "x-request-id": "rid-5" };
	const read = (status: number) => find(name).read({ status, headers, body, isStarting: false }, context);
	const output = {
		kind: "data",
		data: { kind: "json", text: '{"text": "hello"}' },
		contentType: "application/json",
	} as const;
	expect(read(200)).toEqual(reading({ output, requestId: "rid-5" }));
	expect(read(500)).toEqual(reading({ requestId: "rid-5" }));
});

const MODELS = PROTOCOL_NAMES.filter((name) => name !== "http" && name !== "cloudevents");

/** They take messages and have nothing to say. */
const SILENT = new Set(["queue", "slack"]);

describe.each(MODELS)("%s", (name) => {
	const answer = (status: number, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
		find(name).read(
			{
				status,
				headers,
				body: typeof body === "string" ? Buffer.from(body) : body,
				isStarting: false,
			},
			context,
		);

	const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
	const deepError = `${'{"error":'.repeat(100_000)}1${"}".repeat(100_000)}`;

	test.each([
		["nothing", ""],
		["no JSON", "<html>"],
		["JSON of another form", "[1]"],
		["a text", '"a"'],
		["null", "null"],
		[
			"members of other types",
			'{"error":7,"status":[],"detail":{},"usage":"a","model":1,"choices":{},"metrics":[]}',
		],
		["lists without end", deep],
		["errors without end", deepError],
		["no UTF-8", new Uint8Array([0xff, 0xfe, 0])],
	])("makes something of any response: %s", (_what, body) => {
		// A 200 of these that holds an error is one.
		const isError = body === deepError && name.startsWith("openai-");
		// What nests without end takes tens of milliseconds to read, whatever the status.
		const isDeep = body === deep || body === deepError;
		const statuses = isDeep ? [200, 400] : [200, 202, 204, 400, 404, 409, 424, 429, 500, 503, 504];
		for (const status of statuses) {
			for (const type of [undefined, "application/json", "text/plain", "text/event-stream"]) {
				const said = answer(status, body, type === undefined ? {} : { "content-type": type });
				if (status >= 300) expect(said.output).toBeNull();
				else if (SILENT.has(name)) expect(said.output).toBeNull();
				else if (status === 200 && type !== "text/event-stream" && body !== "") {
					expect(said).toMatchObject(
						isError ? { class: "error", output: null } : { class: null, output: { kind: "data" } },
					);
				}
			}
		}
	});

	test("leaves plain refusals to the table", () => {
		for (const status of [401, 402, 403, 410, 429, 500, 502, 503]) {
			expect(answer(status, "no", { "content-type": "text/plain" })).toEqual(reading({ error: "no" }));
		}
	});

	if (SILENT.has(name)) return;

	test("keeps an unknown response unchanged", () => {
		const { output } = answer(200, '{"something": "else", "n": 9007199254740993}', {
			"content-type": "application/json",
		});
		expect(output).toMatchObject({
			data: { kind: "json", text: '{"something": "else", "n": 9007199254740993}' },
		});
	});
});

test("there is no protocol by any other name", () => {
	expect(PROTOCOL_NAMES.toSorted()).toEqual([
		"bentoml",
		"cloudevents",
		"cog",
		"http",
		"huggingface",
		"kserve-v1",
		"open-inference",
		"openai-chat",
		"openai-embeddings",
		"queue",
		"replicate",
		"slack",
		"sqs",
		"workers-ai",
	]);
});
