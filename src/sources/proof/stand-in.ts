/**
 * Signs samples that only the provider could sign, with a key created for one sample. Only the call that receives the
 * key trusts it; everything else is verified as in a real request.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { createLocalJWKSet } from "jose/jwks/local";
import { SignJWT } from "jose/jwt/sign";
import { exportJWK } from "jose/key/export";
import { generateKeyPair } from "jose/key/generate/keypair";
import type { SourceAuth } from "../../store/records.ts";
import { audienceOf, GOOGLE } from "./google/oidc.ts";
import { type Proof, sign as signWithSecret } from "./sign.ts";
import { readSnsMessage, stringToSign } from "./sns/message.ts";
import { isPublicKey } from "../../crypto/verify-standard-webhooks.ts";
import { PROVIDERS, type Trust } from "./trust.ts";

export interface StandIn {
	proof: Proof;
	/** Accepts the proof in place of the provider's own. */
	trust: Trust;
}

/** The request to sign; `now` in ms since the epoch. */
interface Unsigned {
	/** The URL of the request. */
	url: string;
	body: string;
	now: number;
}

const KEY_ID = "sample";
/** Like Google's tokens. */
const TOKEN_SECONDS = 3_600;

/** Signs a sample. Throws for auth types with a secret, which `sign` handles. */
export async function standIn(auth: SourceAuth, request: Unsigned): Promise<StandIn> {
	if (auth.type === "sns") return playSns(request);
	if (auth.type === "google_oidc") return playGoogle(auth, request);
	if (auth.type === "standard_webhooks") return playWebhookSender(auth, request);
	throw new Error(`auth ${auth.type} needs no stand-in`);
}

function playSns({ body }: Unsigned): StandIn {
	const read = readSnsMessage(Buffer.from(body));
	if (read === null) throw new Error("the sample is not an SNS message");
	const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
	const Signature = sign("sha256", Buffer.from(stringToSign(read.message)), privateKey).toString("base64");
	const certificate = { key: publicKey, validFrom: 0, validTo: Number.POSITIVE_INFINITY };
	return {
		proof: { headers: {}, body: JSON.stringify({ ...JSON.parse(body), Signature }) },
		trust: { ...PROVIDERS, snsCertificate: async () => ({ ok: true, certificate }) },
	};
}

async function playGoogle(
	auth: Extract<SourceAuth, { type: "google_oidc" }>,
	{ url, now }: Unsigned,
): Promise<StandIn> {
	const { publicKey, privateKey } = await generateKeyPair("RS256");
	const issuedAt = Math.floor(now / 1000);
	const token = await new SignJWT({ email: auth.email, email_verified: true })
		.setProtectedHeader({ alg: "RS256", kid: KEY_ID, typ: "JWT" })
		.setIssuer(GOOGLE)
		.setAudience(audienceOf(auth, url))
		.setIssuedAt(issuedAt)
		.setExpirationTime(issuedAt + TOKEN_SECONDS)
		.sign(privateKey);
	const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID };
	const keys = { ids: new Set([KEY_ID]), resolve: createLocalJWKSet({ keys: [jwk] }) };
	return {
		proof: { headers: { authorization: `Bearer ${token}` } },
		trust: { ...PROVIDERS, googleKeys: async () => ({ ok: true, keys }) },
	};
}

/** Signs `v1a`, for a source with the sender's public key. */
function playWebhookSender(auth: SourceAuth, { url, body, now }: Unsigned): StandIn {
	const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
	const [seed, publicKey] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
	const signingKey = `whsk_${Buffer.concat([seed, publicKey]).toString("base64")}`;
	const proof = signWithSecret(auth, signingKey, { url, headers: {}, body }, now);
	if (proof === null) throw new Error("cannot sign with the generated private key");
	const verifyingKey = `whpk_${publicKey.toString("base64")}`;
	const trust = {
		...PROVIDERS,
		secret: (secret: string) => (isPublicKey(secret) ? verifyingKey : secret),
	};
	return { proof, trust };
}
