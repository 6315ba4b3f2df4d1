/** The reference page: one HTML text with its style and script in it, which reads /openapi.json and nothing else. */
import html from "./page.html";
import script from "./page.client.js";
import style from "./page.css";

let page: Promise<{ body: string; policy: string }> | null = null;

/** The page, with a policy that lets run what is in it, by its hash, and nothing else. */
export async function docsPage(): Promise<Response> {
	page ??= makePage();
	const { body, policy } = await page;
	return new Response(body, {
		headers: {
			"content-type": "text/html; charset=utf-8",
			"content-security-policy": policy,
			"referrer-policy": "no-referrer",
			"x-content-type-options": "nosniff",
		},
	});
}

async function makePage(): Promise<{ body: string; policy: string }> {
	// Functions, because `$` in a replacement text has a meaning.
	const body = html
		.replace("<!-- style -->", () => `<style>${style}</style>`)
		.replace("<!-- script -->", () => `<script>${script}</script>`);
	const policy = [
		"default-src 'none'",
		`style-src ${await hashOf(style)}`,
		`script-src ${await hashOf(script)}`,
		"connect-src 'self'",
		"img-src data:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	].join("; ");
	return { body, policy };
}

async function hashOf(text: string): Promise<string> {
	const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
	return `'sha256-${Buffer.from(digest).toString("base64")}'`;
}
