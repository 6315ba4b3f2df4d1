/** Every binding of wrangler.toml is the router's own, and closed to endpoints. */
import { expect, test } from "vitest";
import { isOwnBinding } from "../../../../src/delivery/exchange/carriers/bindings.ts";

const [wrangler = ""] = Object.values(
	import.meta.glob<string>("/wrangler.toml", { eager: true, query: "?raw", import: "default" }),
);
const BOUND = [...wrangler.matchAll(/^(?:binding|name) = "([A-Z_]+)"$/gm)].map(([, name]) => name ?? "");

test("wrangler.toml has bindings to look at", () => {
	expect(BOUND).toContain("DB");
	expect(BOUND).toContain("DISPATCHER");
});

test.each(BOUND)("%s", (name) => {
	expect(isOwnBinding(name)).toBe(true);
});

test.each(["JOBS", "OCR", "toString", "__proto__"])("%s is not", (name) => {
	expect(isOwnBinding(name)).toBe(false);
});
