/** After a crash of workerd, `npm run dev` says so if the router does not respond any more. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { isCrash, respondsAgain } from "../../scripts/after-crash.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
	const server = createServer(listener).listen(0, "127.0.0.1");
	await once(server, "listening");
	closing.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SOON = { tries: 3, requestMs: 500, pauseMs: 10 };

test("wrangler's report of a crash is recognised", () => {
	const line = "[wrangler:warn] The Workers runtime crashed unexpectedly and is being restarted (crash #1).";
	expect(isCrash(line)).toBe(true);
	expect(isCrash('{"event":"router.failed"}')).toBe(false);
});

test("a router that hangs does not respond again", async () => {
	let asked = 0;
	const url = await serve(() => void asked++);
	expect(await respondsAgain(url, SOON)).toBe(false);
	expect(asked).toBeGreaterThan(0);
});

test("a router that responds after some tries has recovered, whatever its status", async () => {
	let asked = 0;
	const url = await serve((_, response) => {
		if (++asked > 1) response.writeHead(503).end();
	});
	expect(await respondsAgain(url, { ...SOON, requestMs: 2_000, tries: 5 })).toBe(true);
});
