/** For publishers that sign, some with their own secret: which auth types they support, and how to share the secret. */
import type { SourceAuth, SourceAuthType } from "../../store/records.ts";
import type { SetupStep, SetupTarget } from "../kind.ts";

/** Auth types that need no support from the publisher. */
const UNSIGNED: readonly SourceAuthType[] = ["url_token", "none"];

/** Returns whether the publisher signs with the source's secret. */
export function isSigned({ type }: SourceAuth): boolean {
	return !UNSIGNED.includes(type);
}

/** Returns whether a publisher with the signature type `own` supports the source's auth. */
export function canProve(auth: SourceAuth, own: SourceAuthType): boolean {
	return !isSigned(auth) || auth.type === own || auth.type === "hmac";
}

/**
 * Returns the steps that give the source its secret; none if it needs no secret. `origin` says where the publisher
 * shows it. The code contains a placeholder for it.
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
