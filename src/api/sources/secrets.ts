/** Which secrets a source has when it is made and after a change: the ones that were given, made or kept. */
import type { LiveSecret } from "../../crypto/live-secret.ts";
import type { Source, SourceAuth } from "../../store/records.ts";
import { invalidRequest } from "../http/body.ts";
import { hasSecret } from "../../store/source-auth.ts";
import { currentSecret, generateSourceSecret, newSecret, refuseSourceSecret } from "../fields/secrets.ts";
import { refuseKey } from "./hmac-field.ts";

/** The secret that was given, or a new one; null when this kind of auth has none. */
export function chooseSecret(auth: SourceAuth, given: string | undefined): string | null {
	const { type } = auth;
	if (given === undefined && type === "aws_keys") {
		const message = "is required: the secret access key that belongs to settings.access_key_id";
		throw invalidRequest([{ path: "secret", message }]);
	}
	if (given === undefined) return generateSourceSecret(type);
	refuseBadSecret(auth, given);
	return given;
}

/**
 * The secrets after a change of auth or of the secret itself, or null when they stay. A secret that is named
 * here counts at once and alone; rotation is what lets the former one live on for a while.
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
		const message =
			"whether the stored secret fits cannot be told, as it cannot be read: name one in `secret`";
		throw invalidRequest([{ path: "auth.type", message }]);
	}
	const current = currentSecret(secrets, Date.now());
	if (current === null) {
		const message = "the source has no secret for this kind of auth yet: name one in `secret`";
		throw invalidRequest([{ path: "auth.type", message }]);
	}
	const refusal = refuseSecret(auth, current);
	if (refusal === null) return secrets.filter(({ value }) => refuseSecret(auth, value) === null);
	const message = `the source's secret does not fit (${refusal}): name another in \`secret\``;
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
