/** The reference page in a browser that has no network but the router: whole, searchable, usable with the keyboard. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Document } from "./support/described.ts";
import { type Page, findChromium, openPage } from "./support/chromium.ts";
import { until } from "./support/until.ts";

test("the page runs what is in it and nothing else", async () => {
	const response = await fetch(`${inject("routerUrl")}/docs`);
	expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
	const policy = response.headers.get("content-security-policy") ?? "";
	expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^ ]+'; script-src 'sha256-[^ ]+';/);
	expect(policy).not.toMatch(/unsafe|https?:/);
	const html = await response.text();
	expect(html).not.toMatch(/\b(?:src|href)="(?:https?:)?\/\//);
	// A proxy may have put the page and the description under a prefix.
	expect(html).not.toMatch(/["'`]\/openapi\.json/);
	const [, script = ""] = /<script>([^]*)<\/script>/.exec(html) ?? [];
	expect(Buffer.byteLength(script)).toBeLessThan(20_000);
});

const chromium = findChromium();

test("Chromium is there where it has to be", () => {
	if (process.env["SLUICE_REQUIRE_CHROMIUM"] === "1") expect(chromium).not.toBeNull();
});

describe.skipIf(chromium === null)("in Chromium", () => {
	let page: Page;
	let document: Document;
	const origin = inject("routerUrl").replace("localhost", "127.0.0.1");
	beforeAll(async () => {
		document = (await (await fetch(`${origin}/openapi.json`)).json()) as Document;
		page = await openPage(chromium ?? "", `${origin}/docs#createEndpoint`);
		await until("the page to be made", () =>
			page.evaluate<true | null>("document.querySelector('h1') !== null || null"),
		);
	});
	afterAll(() => page?.close());

	const visible = () =>
		page.evaluate<string[]>(
			"[...document.querySelectorAll('details.op')].filter((op) => !op.hidden).map(({ id }) => id)",
		);

	test("it has every operation, and asks for nothing but the description", async () => {
		const ids = Object.values(document.paths).flatMap((path) =>
			Object.values(path).map(({ operationId }) => operationId),
		);
		expect((await visible()).sort()).toEqual(ids.sort());
		expect(page.requests).toEqual(
			[`${origin}/docs#createEndpoint`, `${origin}/openapi.json`].map((url) => url.split("#")[0]),
		);
		expect(page.complaints).toEqual([]);
	});

	test("the operation that the address names is open, with its fields and a command to copy", async () => {
		const [open, text] = await page.evaluate<[boolean, string]>(
			"(({ open, innerText }) => [open, innerText])(document.getElementById('createEndpoint'))",
		);
		expect(open).toBe(true);
		for (const shown of [
			"retry.schedule_seconds",
			"required",
			"curl -X POST",
			"authorization: Bearer",
			"Copy",
		]) {
			expect(text).toContain(shown);
		}
	});

	test("every operation opens, and its fields are shown", async () => {
		await page.evaluate("document.getElementById('all').click()");
		await until("all to be filled", () =>
			page.evaluate<boolean>(
				"[...document.querySelectorAll('.inside')].every((part) => part.childElementCount > 0)",
			),
		);
		const text = await page.evaluate<string>("document.querySelector('main').textContent");
		const fields = Object.values(document.components.schemas).flatMap((schema) =>
			Object.keys((schema as { properties?: object }).properties ?? {}),
		);
		const problem = Object.keys(
			(document.components.schemas["Problem"] as { properties: object }).properties,
		);
		// A request to a source is proven by its own secret, one to the API by a key.
		expect(text).toMatch(/in\/documents-db' \\\s+-H "authorization: Bearer \$SECRET"/);
		expect(text).toContain('v1/sources\' \\\n  -H "authorization: Bearer $TOKEN"');
		expect(fields.filter((field) => !text.includes(field) && !problem.includes(field))).toEqual([]);
		expect(page.complaints).toEqual([]);
	});

	test("a slash goes to the search, which finds fields and codes; Escape ends it", async () => {
		const press = async (key: string) => {
			for (const type of ["keyDown", "keyUp"]) {
				await page.call("Input.dispatchKeyEvent", {
					type,
					key,
					...(key === "/" && type === "keyDown" && { text: key }),
				});
			}
		};
		await press("/");
		await page.call("Input.insertText", { text: "event_forgotten" });
		expect(await visible()).toEqual(["retryDelivery"]);
		await press("Escape");
		expect((await visible()).length).toBeGreaterThan(30);
	});

	test("an opened operation has its own address, and so has an error code", async () => {
		await page.evaluate("document.getElementById('listEvents').open = false");
		await page.evaluate("document.querySelector('#listEvents > summary').click()");
		expect(await page.evaluate("location.hash")).toBe("#listEvents");
		expect(await page.evaluate("document.getElementById('event_forgotten').tagName")).toBe("DT");
	});

	test("on a narrow screen nothing is cut off, and the header covers nothing that an address names", async () => {
		await page.call("Emulation.setDeviceMetricsOverride", {
			width: 400,
			height: 800,
			deviceScaleFactor: 1,
			mobile: true,
		});
		await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
		await until("all to be filled", () =>
			page.evaluate<boolean>(
				"[...document.querySelectorAll('.inside')].every((part) => part.childElementCount > 0)",
			),
		);
		const wide = await page.evaluate<string[]>(
			`[document.documentElement, ...document.querySelectorAll('.scroll')]
				.filter((part) => part.scrollWidth > part.clientWidth)
				.map((part) => part.textContent.slice(0, 100))`,
		);
		expect(wide).toEqual([]);
		await page.evaluate("location.hash = '#pauseSource'");
		// What is filled meanwhile moves the rest.
		await until("the operation to be below the header", () =>
			page.evaluate<true | null>(
				`(([header, named]) => (named >= header && named < header + 100) || null)(
					[document.querySelector('header').getBoundingClientRect().bottom,
					document.getElementById('pauseSource').getBoundingClientRect().top])`,
			),
		);
		await page.call("Emulation.clearDeviceMetricsOverride");
	});

	test("it is dark where the reader wants it dark", async () => {
		const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
		const light = await ground();
		await page.call("Emulation.setEmulatedMedia", {
			features: [{ name: "prefers-color-scheme", value: "dark" }],
		});
		expect(await ground()).not.toBe(light);
	});
});
