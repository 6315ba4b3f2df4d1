import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { generateKeyPairSync } from "node:crypto";
import { standIn } from "../../../src/sources/proof/stand-in.ts";
import { PROVIDERS, type Trust } from "../../../src/sources/proof/trust.ts";
import { verify } from "../../../src/sources/proof/verify.ts";
import type { ReadableSource, SourceAuth } from "../../../src/store/records.ts";
import { makeSource } from "../make-source.ts";
import { TEST_CERTIFICATE } from "./sns/test-only.ts";
import { TOPIC } from "./sns/sns.ts";
import { sampleOf } from "../bind.ts";

const NOW = Date.UTC(2026, 10, 22);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EMAIL = "pusher@app.iam.gserviceaccount.com";
const OTHER_TOPIC = "arn:aws:sns:eu-central-1:123456789012:others";
const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

const GOOGLE: SourceAuth = { type: "google_oidc", audience: null, email: EMAIL };
const WEBHOOKS: Partial<ReadableSource> = {
	kind: "standard-webhooks",
	auth: { type: "standard_webhooks" },
	secrets: [{ value: PUBLIC_KEY, createdAt: 0, expiresAt: null }],
};

/** The providers as they are: with keys of their own. */
beforeEach(() => {
	const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
	const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "sample" }];
	vi.spyOn(globalThis, "fetch").mockImplementation(async (url) =>
		url instanceof URL && url.pathname.endsWith(".pem")
			? new Response(TEST_CERTIFICATE)
			: Response.json({ keys }),
	);
});
afterEach(() => {
	vi.restoreAllMocks();
});

interface Check {
	now?: number;
	checkedBy?: ReadableSource;
	trust?: Trust;
}

/** Signs the sample of `source`; returns what tells whether it proves itself. */
async function play(
	source: ReadableSource,
): Promise<{ trust: Trust; check: (changes?: Check) => Promise<boolean> }> {
	const url = `https://sluice.example/in/${source.name}`;
	const sample = sampleOf(source.kind, NOW, source.settings);
	const { proof, trust } = await standIn(source.auth, { url, body: sample.body, now: NOW });
	const headers = new Headers({ ...sample.headers, ...proof.headers });
	const body = Buffer.from(proof.body ?? sample.body);
	const check = async ({ now = NOW, checkedBy = source, trust: trusted = trust }: Check = {}) =>
		(await verify(checkedBy, { url, headers, body, now }, trusted)).ok;
	return { trust, check };
}

interface Case {
	source: Partial<ReadableSource>;
	/** Beyond what the proof's time allows. */
	late: number;
	/** Asks for another sender or receiver. */
	other: Partial<ReadableSource>;
}

const CASES: Record<string, Case> = {
	"Amazon SNS": {
		source: { kind: "s3-sns", auth: { type: "sns" }, settings: { topic_arns: [TOPIC] } },
		late: 2 * HOUR,
		other: { settings: { topic_arns: [OTHER_TOPIC] } },
	},
	Google: {
		source: { kind: "gcs-pubsub", auth: GOOGLE },
		late: 2 * HOUR,
		other: { auth: { ...GOOGLE, email: "somebody@app.iam.gserviceaccount.com" } },
	},
	"the owner of a private key": {
		source: WEBHOOKS,
		late: 6 * MINUTE,
		other: {
			secrets: [{ value: "whsec_bm90IHRoaXMgb25lLCBhbm90aGVyIG9uZQ==", createdAt: 0, expiresAt: null }],
		},
	},
};

describe.each(Object.entries(CASES))("in place of %s", (_who, { source: fields, late, other }) => {
	const source = makeSource(fields);

	test("the sample is valid for those who trust its key, and for nobody else", async () => {
		const [one, another] = await Promise.all([play(source), play(source)]);
		expect(await one.check()).toBe(true);
		expect(await one.check({ trust: another.trust })).toBe(false);
		expect(await one.check({ trust: PROVIDERS })).toBe(false);
	});

	test("everything else is checked as ever: the time, who sends, to whom", async () => {
		const { check } = await play(source);
		expect(await check({ now: NOW + late })).toBe(false);
		expect(await check({ checkedBy: { ...source, ...other } })).toBe(false);
	});
});

test("a token of Google is for the audience that the source names", async () => {
	const source = makeSource({ kind: "gcs-pubsub", auth: { ...GOOGLE, audience: "the-team" } });
	const { check } = await play(source);
	expect(await check()).toBe(true);
	expect(await check({ checkedBy: { ...source, auth: GOOGLE } })).toBe(false);
});

test("no stand-in is needed if a secret signs", async () => {
	const request = { url: "https://sluice.example/in/a", body: "{}", now: NOW };
	await expect(standIn({ type: "bearer" }, request)).rejects.toThrow("bearer");
});
