/**
 * Which secrets a source has after its creation and after a change: given, generated or kept ones.
 */
import type { LiveSecret } from "../../crypto/live-secret.ts";
import type { Source, SourceAuth, SourceAuthType } from "../../store/records.ts";
import { invalidRequest } from "../http/body.ts";
import { hasSecret } from "../../store/resources/source-auth.ts";
import { currentSecret, generateSourceSecret, newSecret, refuseSourceSecret } from "../fields/secrets.ts";
import { refuseKey } from "./hmac-field.ts";

/** false: the secret comes from elsewhere, and no generated one could replace it. */
export function canBeGenerated(type: SourceAuthType): boolean {
	return type !== "aws_keys";
}

/** The given secret, or a new one; null if this kind of auth has none. */
export function chooseSecret(auth: SourceAuth, given: string | undefined): string | null {
	const { type } = auth;
	if (given === undefined && !canBeGenerated(type)) {
		const message = "is required: the secret access key that belongs to settings.access_key_id";
		throw invalidRequest([{ path: "secret", message }]);
	}
	if (given === undefined) return generateSourceSecret(type);
	refuseBadSecret(auth, given);
	return given;
}

/**
 * The secrets after a change of auth or of the secret itself, or null if they stay. A given secret
 * takes effect at once and alone; only rotation keeps the former one valid for a while.
 */
export function secretsAfter(
	former: Source,
	auth: SourceAuth,
	given: string | undefined,
): LiveSecret[] | null {
	const { type } = auth;
	if (given !== undefined) {
		refuseBadSecret(auth, given);
		return [newSecret(given, Date.now())];
	}
	if (type === former.auth?.type && keyEncoding(auth) === keyEncoding(former.auth)) return null;
	if (!hasSecret(type)) return [];
	const { secrets } = former;
	if (secrets === null) {
		const message = "the stored secret cannot be read, so it cannot be checked: set a new one in `secret`";
		throw invalidRequest([{ path: "auth.type", message }]);
	}
	const current = currentSecret(secrets, Date.now());
	if (current === null) {
		const message = "the source has no secret for this kind of auth yet: set one in `secret`";
		throw invalidRequest([{ path: "auth.type", message }]);
	}
	const refusal = refuseSecret(auth, current);
	if (refusal === null) return secrets.filter(({ value }) => refuseSecret(auth, value) === null);
	const message = `the source's secret does not fit (${refusal}): set another one in \`secret\``;
	throw invalidRequest([{ path: "auth.type", message }]);
}

function keyEncoding(auth: SourceAuth): string {
	return (auth.type === "hmac" ? auth.secret_encoding : undefined) ?? "utf8";
}

function refuseSecret(auth: SourceAuth, secret: string): string | null {
	return refuseSourceSecret(auth.type, secret) ?? refuseKey(auth, secret);
}

function refuseBadSecret(auth: SourceAuth, secret: string): void {
	const message = refuseSecret(auth, secret);
	if (message !== null) throw invalidRequest([{ path: "secret", message }]);
}
