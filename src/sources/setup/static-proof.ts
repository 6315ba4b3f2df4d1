/**
 * For publishers that send fixed headers and cannot compute a signature: what authenticates them, and what to do if the
 * source requires more.
 */
import type { SourceAuth } from "../../store/records.ts";
import type { Setup, SetupTarget } from "../kind.ts";

/** One header; none if the URL authenticates the request, or nothing does. */
export interface StaticProof {
	headers: Readonly<Record<string, string>>;
}

/** Returns null if the proof has to be computed for each request. */
export function staticProof(auth: SourceAuth, secret: string): StaticProof | null {
	if (auth.type === "none" || auth.type === "url_token") return { headers: {} };
	if (auth.type === "bearer") return { headers: { Authorization: `Bearer ${secret}` } };
	return auth.type === "header" ? { headers: { [auth.name]: secret } } : null;
}

/** Whether each request contains the secret, in a header or the URL, where readers of the request can see it. */
export function sendsSecret({ type }: SourceAuth): boolean {
	return type === "bearer" || type === "header" || type === "url_token";
}

/** Replaces an impossible set-up: how to change the source's auth to one that its publisher supports. */
export function setupAfterAuthChange({ source, url }: SetupTarget, changes: object): Setup {
	const code = [
		`curl -X PATCH '${new URL(url).origin}/v1/sources/${source.name}' \\`,
		`  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\`,
		`  -d '${JSON.stringify(changes)}'`,
	].join("\n");
	const title = `This publisher cannot send what auth "${source.auth.type}" requires: change the auth, then get the set-up again`;
	const step = { title: "Change the auth of the source", language: "shell" as const, code };
	return { variants: [{ name: "change-auth", title, steps: [step] }] };
}
