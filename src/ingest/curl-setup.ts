/** The set-up of publishers that somebody writes: one request with curl, with the proof that the source asks for. */
import type { SourceAuth } from "../store/records.ts";
import type { Setup } from "./sources/kind.ts";

export function curlSetup(
	auth: SourceAuth,
	url: string,
	secret: string,
	body: string,
	contentType = "application/json",
): Setup {
	const send = `curl -i '${url}' -H 'content-type: ${contentType}'`;
	const step = { title: "Send an event", language: "shell" as const };
	const code = signedCurl(auth, send, secret, body);
	return {
		variants: [{ name: "curl", title: "Any program that can send HTTP", steps: [{ ...step, code }] }],
	};
}

function signedCurl(auth: SourceAuth, send: string, secret: string, body: string): string {
	const plain = (...headers: string[]) =>
		[send, ...headers.map((header) => `-H '${header}'`), `--data-binary '${body}'`].join(" \\\n  ");
	switch (auth.type) {
		case "none":
		case "url_token":
			return plain();
		case "bearer":
			return plain(`authorization: Bearer ${secret}`);
		case "basic":
			return plain().replace("curl -i", `curl -i -u '${auth.username}:${secret}'`);
		case "header":
			return plain(`${auth.name}: ${secret}`);
		case "hmac": {
			const digest = `openssl dgst -${auth.algorithm} -hmac '${secret}' -${auth.encoding === "hex" ? "r" : "binary"}`;
			const text = auth.encoding === "hex" ? `${digest} | cut -d' ' -f1` : `${digest} | base64 -w0`;
			return [
				`body='${body}'`,
				`signature=$(printf %s "$body" | ${text})`,
				`${send} \\\n  -H "${auth.header}: ${auth.prefix}$signature" \\\n  --data-binary "$body"`,
			].join("\n");
		}
		case "standard_webhooks":
			return [
				`body='${body}'`,
				"id=msg_$(openssl rand -hex 12); timestamp=$(date +%s)",
				`key=$(printf %s '${secret}' | sed 's/^whsec_//' | base64 -d | od -An -tx1 | tr -d ' \\n')`,
				`signature=$(printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w0)`,
				`${send} \\\n  -H "webhook-id: $id" -H "webhook-timestamp: $timestamp" -H "webhook-signature: v1,$signature" \\\n  --data-binary "$body"`,
			].join("\n");
	}
}
