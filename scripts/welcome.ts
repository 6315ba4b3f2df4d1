/** What `npm run dev` prints when the router is up: its addresses, its token, and the first step of the README. Pure. */
import { paint } from "./paint.ts";

export interface Welcome {
	/** Origin of the router, without a slash at the end. */
	url: string;
	token: string;
	/** The file that contains the token. */
	tokenFile: string;
	/** The folder of the router's state. */
	state: string;
	/** How a shell gets the token: a command substitution, or the token itself. */
	tokenInShell: string;
}

export function welcomeText({ url, token, tokenFile, state, tokenInShell }: Welcome): string {
	return [
		"",
		paint("bold", "Sluice is up."),
		"",
		...table([
			["API", `${url}/v1`],
			["Ingest", `${url}/in/{source}`],
			["Docs", `${url}/docs`],
			["Health", `${url}/healthz`],
			["Token", token, `from ${tokenFile}`],
			["State", state, "delete it to start over"],
		]),
		"",
		paint("dim", "The router reloads when a file in src/ changes. Ctrl-C stops it."),
		"",
		paint("bold", 'Next: "Your first event in five minutes" in README.md.'),
		"Its terminal 4 begins with these lines, which define `api`:",
		"",
		...firstStep(url, tokenInShell).map((line) => `  ${line}`),
		"",
	].join("\n");
}

/** The commands with which the README continues in its fourth terminal. */
export function firstStep(url: string, tokenInShell: string): string[] {
	return [
		`SLUICE=${url} TOKEN=${tokenInShell}`,
		`api() { curl -sS "$SLUICE/v1$1" -H "authorization: Bearer $TOKEN" \\`,
		`  -H 'content-type: application/json' "\${@:2}"; echo; }`,
	];
}

/** Aligns the values, and the notes after the longest value. */
function table(rows: readonly [name: string, value: string, note?: string][]): string[] {
	const width = Math.max(...rows.map(([, value]) => value.length));
	return rows.map(([name, value, note]) => {
		const padding = note === undefined ? "" : " ".repeat(width - value.length + 2);
		return `  ${name.padEnd(8)}${paint("cyan", value)}${padding}${paint("dim", note ?? "")}`;
	});
}
