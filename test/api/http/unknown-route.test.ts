/** Requests that no route accepts: the response names the methods of the path, or the path that was meant. */
import { expect, test } from "vitest";
import { ask } from "../client.ts";

test.each([
	["PUT", "/v1/sources", "GET, HEAD, POST", "/v1/sources does not support PUT. Use GET, POST."],
	[
		"POST",
		"/v1/sources/scans",
		"GET, HEAD, PUT, PATCH, DELETE",
		"/v1/sources/scans does not support POST. Use GET, PUT, PATCH, DELETE.",
	],
	["GET", "/v1/sources/scans/pause", "POST", "/v1/sources/scans/pause does not support GET. Use POST."],
	["PUT", "/v1/deliveries/retry", "GET, HEAD, POST", "does not support PUT. Use GET, POST."],
	["POST", "/openapi.json", "GET, HEAD", "Use GET."],
	["DELETE", "/healthz", "GET, HEAD", "Use GET."],
	["GET", "/callbacks/dlv_1/token", "POST", "Use POST."],
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
