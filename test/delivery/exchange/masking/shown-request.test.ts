import { expect, test } from "vitest";
import { showRequest } from "../../../../src/delivery/exchange/masking/shown-request.ts";
import type { OutgoingRequest } from "../../../../src/delivery/rules/attempt.ts";

function shown(request: Partial<OutgoingRequest>) {
	const whole = {
		method: "POST",
		url: "https://m.example.com/",
		headers: {},
		body: Buffer.from(""),
		...request,
	};
	const auth = { type: "headers", headers: { "Modal-Id": "m-1", caller: "c-1" } } as const;
	return showRequest(whole as OutgoingRequest, { auth });
}

test("credentials, signatures and the lineage are hidden; how many signatures there are is not", () => {
	const headers = {
		"modal-id": "m-1",
		caller: "c-1",
		authorization: "Bearer t",
		"x-api-key": "k",
		"webhook-id": "dlv_1",
		"webhook-signature": "v1,abc= v1a,def=",
		"sluice-lineage": "v1.abc.def",
		"content-type": "text/plain",
	};
	expect(shown({ headers }).headers).toEqual({
		"modal-id": "***",
		caller: "***",
		authorization: "***",
		"x-api-key": "***",
		"webhook-id": "dlv_1",
		"webhook-signature": "v1,*** v1a,***",
		"sluice-lineage": "***",
		"content-type": "text/plain",
	});
});

test.each([
	["text", Buffer.from('{"a":"é"}'), { kind: "text", text: '{"a":"é"}' }],
	["nothing", Buffer.from(""), { kind: "text", text: "" }],
	["a byte order mark", Buffer.from("\ufeffa"), { kind: "text", text: "\ufeffa" }],
	["bytes that are no UTF-8", Buffer.from([0x89, 0x50]), { kind: "binary", base64: "iVA=" }],
	["a NUL", Buffer.from("a\0"), { kind: "binary", base64: "YQA=" }],
])("a body of %s", (_what, body, expected) => {
	expect(shown({ body }).body).toEqual(expected);
});
