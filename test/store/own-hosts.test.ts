import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { configuredHosts, learnHost, ownHostsAt } from "../../src/store/own-hosts.ts";

beforeEach(() => reset());
afterEach(() => {
	vi.restoreAllMocks();
});

const now = Date.UTC(2026, 10, 25);

test.each([
	[undefined, null],
	["", null],
	[" , ", null],
	["sluice.example.com", ["sluice.example.com"]],
	[" Sluice.Example.com , other.example.com:8443 ", ["sluice.example.com", "other.example.com:8443"]],
	["sluice.example.com,no host", ["sluice.example.com"]],
])("OWN_HOSTS %j lists %j", (OWN_HOSTS, expected) => {
	expect(configuredHosts(OWN_HOSTS === undefined ? {} : { OWN_HOSTS })).toEqual(expected);
});

describe("a name under which the router is called", () => {
	test("is written once by an isolate, however often it is called", async () => {
		const { isolate, statements } = newIsolate();
		await learnHost(isolate, "https://a.example.com/in/x?token=t", now);
		const used = statements.length;
		for (let calls = 0; calls < 10; calls++) await learnHost(isolate, "https://a.example.com/in/y", now);
		expect(statements).toHaveLength(used);
		await learnHost(isolate, "https://b.example.com:8443/v1/events", now);
		await learnHost(newIsolate().isolate, "https://a.example.com/in/x", now + 1);
		expect(await stored()).toEqual(["a.example.com", "b.example.com:8443"]);
	});

	test("is one of 50 at the most", async () => {
		const { isolate } = newIsolate();
		for (let index = 0; index < 60; index++) {
			await learnHost(isolate, `https://h${index}.example.com/in/x`, now);
		}
		await learnHost(newIsolate().isolate, "https://late.example.com/in/x", now);
		expect(await stored()).toHaveLength(50);
	});

	test("is tried again a minute after the database did not take it, and fails no request", async () => {
		vi.spyOn(console, "log").mockImplementation(() => undefined);
		const { isolate } = newIsolate();
		await ownHostsAt(isolate, "https://a.example.com/");
		const prepare = vi.spyOn(env.DB, "prepare").mockImplementation(() => {
			throw new Error("D1 is down");
		});
		await learnHost(isolate, "https://a.example.com/in/x", now);
		await learnHost(isolate, "https://a.example.com/in/x", now + 59_000);
		expect(prepare).toHaveBeenCalledTimes(1);
		prepare.mockRestore();
		await learnHost(isolate, "https://a.example.com/in/x", now + 60_000);
		expect(await stored()).toEqual(["a.example.com"]);
	});

	test("is not written where the operator lists the names", async () => {
		const listed = { ...newIsolate().isolate, OWN_HOSTS: "listed.example.com" };
		await learnHost(listed, "https://a.example.com/in/x", now);
		expect(await ownHostsAt(listed, "https://b.example.com/v1")).toEqual(["listed.example.com"]);
		expect(await stored()).toEqual([]);
	});
});

test("the names that are known are those that were learnt and that of the request", async () => {
	const { isolate } = newIsolate();
	await learnHost(isolate, "https://a.example.com/in/x", now);
	expect(await ownHostsAt(isolate, "https://b.example.com/v1/endpoints")).toEqual([
		"b.example.com",
		"a.example.com",
	]);
});

/** The same database as another binding, as another isolate would have it, and the statements that it prepares. */
function newIsolate(): { isolate: { DB: D1Database }; statements: string[] } {
	const statements: string[] = [];
	const DB = new Proxy(env.DB, {
		get(target, name) {
			const member: unknown = Reflect.get(target, name);
			if (typeof member !== "function") return member;
			statements.push(String(name));
			return (...args: unknown[]): unknown => Reflect.apply(member, target, args);
		},
	});
	return { isolate: { DB }, statements };
}

async function stored(): Promise<string[]> {
	return (await ownHostsAt(newIsolate().isolate, "https://none.example.com/")).slice(1).toSorted();
}
