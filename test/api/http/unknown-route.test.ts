/** Requests that no route takes: the response names the methods of the path, or the path that was meant. */
import { expect, test } from "vitest";
import { ask } from "../client.ts";

test.each([
	["PUT", "/v1/sources", "GET, HEAD, POST", "PUT /v1/sources is not possible. This path takes GET, POST."],
	[
		"POST",
		"/v1/sources/scans",
		"GET, HEAD, PUT, PATCH, DELETE",
		"POST /v1/sources/scans is not possible. This path takes GET, PUT, PATCH, DELETE.",
	],
	[
		"GET",
		"/v1/sources/scans/pause",
		"POST",
		"GET /v1/sources/scans/pause is not possible. This path takes POST.",
	],
	["PUT", "/v1/deliveries/retry", "GET, HEAD, POST", "This path takes GET, POST."],
	["POST", "/openapi.json", "GET, HEAD", "This path takes GET."],
	["DELETE", "/healthz", "GET, HEAD", "This path takes GET."],
	["GET", "/callbacks/dlv_1/token", "POST", "This path takes POST."],
])("%s %s → 405 with Allow: %s", async (method, path, allow, detail) => {
	const { status, headers, body } = await ask(method, path);
	expect([status, body["code"], headers.get("allow")]).toEqual([405, "method_not_allowed", allow]);
	expect(body["detail"]).toContain(detail);
});

test.each([
	["GET", "/v1/sources/", "There is no GET /v1/sources/. Leave out the slash at the end: /v1/sources."],
	["POST", "/in/scans/", "Leave out the slash at the end: /in/scans."],
	["GET", "/docs/", "Leave out the slash at the end: /docs."],
	["GET", "/sources", "There is no GET /sources. The API is under /v1: GET /v1/sources."],
	["PATCH", "/endpoints/ocr@3", "The API is under /v1: PATCH /v1/endpoints/ocr@3."],
	["GET", "/v1/source", "There is no GET /v1/source. The page /docs lists every route."],
	["GET", "/", "There is no GET /. The page /docs lists every route."],
	["POST", "/in", "There is no POST /in. The page /docs lists every route."],
])("%s %s → 404 that says where to go", async (method, path, detail) => {
	const { status, body } = await ask(method, path);
	expect([status, body["code"]]).toEqual([404, "not_found"]);
	expect(body["detail"]).toContain(detail);
});

test("without a key, a path under /v1 tells nothing of its methods", async () => {
	const { status, headers } = await ask("PUT", "/v1/sources", undefined, { authorization: "" });
	expect([status, headers.get("allow")]).toEqual([401, null]);
});
