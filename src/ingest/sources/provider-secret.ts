/** For publishers that choose the secret themselves: how the source is told it. */
import type { SetupStep, SetupTarget } from "./kind.ts";

/** `origin` says where the publisher shows its secret. The placeholder is what it has to be put in for. */
export function takeSecretStep({ source, url, secret }: SetupTarget, origin: string): SetupStep {
	const code = [
		`curl -X PATCH '${new URL(url).origin}/v1/sources/${source.name}' \\`,
		`  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\`,
		`  -d '{"secret": "${secret}"}'`,
	];
	return { title: `Give the source the secret: ${origin}`, language: "shell", code: code.join("\n") };
}
