/** Which secrets a source has when it is made and after a change: the ones that were given, made or kept. */
import type { LiveSecret } from "../../crypto/live-secret.ts";
import type { Source, SourceAuthType } from "../../store/records.ts";
import { invalidRequest } from "../http/body.ts";
import { hasSecret } from "../../store/source-auth.ts";
import { currentSecret, generateSourceSecret, newSecret, refuseSourceSecret } from "../fields/secrets.ts";

/** The secret that was given, or a new one; null when this kind of auth has none. */
export function chooseSecret(type: SourceAuthType, given: string | undefined): string | null {
	if (given === undefined && type === "aws_keys") {
		const message = "is required: the secret access key that belongs to settings.access_key_id";
		throw invalidRequest([{ path: "secret", message }]);
	}
	if (given === undefined) return generateSourceSecret(type);
	refuseBadSecret(type, given);
	return given;
}

/**
 * The secrets after a change of auth or of the secret itself, or null when they stay. A secret that is named
 * here counts at once and alone; rotation is what lets the former one live on for a while.
 */
export function secretsAfter(
	former: Source,
	type: SourceAuthType,
	given: string | undefined,
): LiveSecret[] | null {
	if (given !== undefined) {
		refuseBadSecret(type, given);
		return [newSecret(given, Date.now())];
	}
	if (type === former.auth?.type) return null;
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
	const refusal = refuseSourceSecret(type, current);
	if (refusal === null) return secrets.filter(({ value }) => refuseSourceSecret(type, value) === null);
	const message = `the source's secret does not fit (${refusal}): name another in \`secret\``;
	throw invalidRequest([{ path: "auth.type", message }]);
}

function refuseBadSecret(type: SourceAuthType, secret: string): void {
	const message = refuseSourceSecret(type, secret);
	if (message !== null) throw invalidRequest([{ path: "secret", message }]);
}
