/** For publishers that sign, some with a secret of their own choice: what they can prove, and who is told the secret. */
import type { SourceAuth, SourceAuthType } from "../../store/records.ts";
import type { SetupStep, SetupTarget } from "../kind.ts";

/** What such a publisher may be asked for instead of a signature: it does nothing for it. */
const UNSIGNED: readonly SourceAuthType[] = ["url_token", "none"];

/** Whether the source has a secret that its publisher signs with. */
export function isSigned({ type }: SourceAuth): boolean {
	return !UNSIGNED.includes(type);
}

/** Whether a publisher whose own signature is `own` can send what the source asks for. */
export function canProve(auth: SourceAuth, own: SourceAuthType): boolean {
	return !isSigned(auth) || auth.type === own || auth.type === "hmac";
}

/**
 * How the source is told the secret; no step when it asks for none. `origin` says where the publisher shows it. The
 * placeholder is what it has to be put in for.
 */
export function takeSecretSteps({ source, url, secret }: SetupTarget, origin: string): SetupStep[] {
	if (!isSigned(source.auth)) return [];
	const code = [
		`curl -X PATCH '${new URL(url).origin}/v1/sources/${source.name}' \\`,
		`  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\`,
		`  -d '{"secret": "${secret}"}'`,
	];
	return [{ title: `Give the source the secret: ${origin}`, language: "shell", code: code.join("\n") }];
}
