import { describe, expect, test } from "vitest";
import { open, seal } from "../../src/crypto/seal.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("sealing", () => {
	test("hides the text and gives it back", async () => {
		const env = { ADMIN_TOKEN: "root" };
		const sealed = await seal(env, SECRET);
		expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/);
		expect(sealed).not.toContain("MfKQ9r8");
		expect(await open(env, sealed)).toBe(SECRET);
	});

	test("never gives the same twice", async () => {
		const env = { ADMIN_TOKEN: "root" };
		expect(await seal(env, SECRET)).not.toBe(await seal(env, SECRET));
	});

	test("takes any text", async () => {
		const env = { ADMIN_TOKEN: "root" };
		for (const text of ["", "ünï 😀", "x".repeat(100_000)]) {
			expect(await open(env, await seal(env, text))).toBe(text);
		}
	});

	test("needs a key", async () => {
		await expect(seal({}, SECRET)).rejects.toThrow("neither ENCRYPTION_KEY nor ADMIN_TOKEN");
		await expect(seal({ ADMIN_TOKEN: "", ENCRYPTION_KEY: " , " }, SECRET)).rejects.toThrow("neither");
	});
});

describe("changing keys", () => {
	test("setting ENCRYPTION_KEY leaves what ADMIN_TOKEN sealed readable", async () => {
		const sealed = await seal({ ADMIN_TOKEN: "root" }, SECRET);
		expect(await open({ ADMIN_TOKEN: "root", ENCRYPTION_KEY: "key" }, sealed)).toBe(SECRET);
	});

	test("the first key seals, every listed one opens", async () => {
		const sealed = await seal({ ENCRYPTION_KEY: "old", ADMIN_TOKEN: "root" }, SECRET);
		expect(await open({ ENCRYPTION_KEY: "new, old", ADMIN_TOKEN: "root" }, sealed)).toBe(SECRET);
		const again = await seal({ ENCRYPTION_KEY: "new,old", ADMIN_TOKEN: "root" }, SECRET);
		expect(await open({ ENCRYPTION_KEY: "old", ADMIN_TOKEN: "root" }, again)).toBeNull();
		expect(await open({ ENCRYPTION_KEY: "new" }, again)).toBe(SECRET);
	});

	test("a new ADMIN_TOKEN alone makes secrets unreadable; the former one as a key brings them back", async () => {
		const sealed = await seal({ ADMIN_TOKEN: "former" }, SECRET);
		expect(await open({ ADMIN_TOKEN: "root" }, sealed)).toBeNull();
		expect(await open({ ADMIN_TOKEN: "root", ENCRYPTION_KEY: "key,former" }, sealed)).toBe(SECRET);
	});

	test("an altered text cannot be decrypted", async () => {
		const sealed = await seal({ ADMIN_TOKEN: "root" }, SECRET);
		const altered = sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA");
		expect(await open({ ADMIN_TOKEN: "root" }, altered)).toBeNull();
		expect(await open({ ADMIN_TOKEN: "root" }, "plain text")).toBeNull();
	});

	test("white space around a key is not part of it, but what release 0.1 sealed with it still opens", async () => {
		const sealed = await seal({ ADMIN_TOKEN: "root\n" }, SECRET);
		expect(await open({ ADMIN_TOKEN: "root" }, sealed)).toBe(SECRET);
		expect(await open({ ENCRYPTION_KEY: " key\n", ADMIN_TOKEN: "root" }, sealed)).toBe(SECRET);
		const former = await seal({ ENCRYPTION_KEY: "x" }, SECRET);
		expect(await open({ ENCRYPTION_KEY: "x\n" }, former)).toBe(SECRET);
	});
});
