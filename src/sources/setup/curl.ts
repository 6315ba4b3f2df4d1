/** The set-up of publishers that somebody writes: one request with curl, with the proof that the source asks for. */
import type { SourceAuth } from "../../store/records.ts";
import { type SignatureScheme, schemeOf, signedHead, writeSignature } from "../proof/signature-schemes.ts";
import type { Setup } from "../kind.ts";

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
		[send, ...headers.map((header) => `-H ${quoted(header)}`), `--data-binary '${body}'`].join(" \\\n  ");
	switch (auth.type) {
		case "none":
		case "url_token":
		// Only the provider can give these proofs, and its kind has a set-up of its own.
		case "sns":
		case "google_oidc":
		case "aws_keys":
			return plain();
		case "bearer":
			return plain(`authorization: Bearer ${secret}`);
		case "basic":
			return plain().replace("curl -i", () => `curl -i -u ${quoted(`${auth.username}:${secret}`)}`);
		case "header":
			return plain(`${auth.name}: ${secret}`);
		case "hmac":
		case "github":
		case "shopify":
		case "slack":
		case "stripe":
			return hmacCurl(schemeOf(auth), send, secret, body);
		case "standard_webhooks":
			return [
				`body='${body}'`,
				"id=msg_$(openssl rand -hex 12); timestamp=$(date +%s)",
				`key=$(printf %s '${secret}' | sed 's/^whsec_//' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')`,
				`signature=$(printf %s "$id.$timestamp.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)`,
				`${send} \\\n  -H "webhook-id: $id" -H "webhook-timestamp: $timestamp" -H "webhook-signature: v1,$signature" \\\n  --data-binary "$body"`,
			].join("\n");
	}
}

function hmacCurl(scheme: SignatureScheme, send: string, secret: string, body: string): string {
	const { algorithm, encoding, timestamp } = scheme;
	const encode = encoding === "hex" ? "-r | cut -d' ' -f1" : "-binary | openssl base64 -A";
	const literal = { ...scheme, prefix: escapedInQuotes(scheme.prefix) };
	const headers = Object.entries(writeSignature(literal, "$timestamp", "$signature"));
	return [
		`body='${body}'`,
		...(timestamp === null ? [] : ["timestamp=$(date +%s)"]),
		`signature=$(printf %s "${signedHead(scheme, "$timestamp")}$body" | openssl dgst -${algorithm} -hmac '${secret}' ${encode})`,
		[send, ...headers.map(([name, value]) => `-H "${name}: ${value}"`), '--data-binary "$body"'].join(
			" \\\n  ",
		),
	].join("\n");
}

/** One word of a shell, whatever it holds. */
function quoted(text: string): string {
	return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Stands for itself between double quotes of a shell. */
function escapedInQuotes(text: string): string {
	return text.replace(/[\\"$`]/g, String.raw`\$&`);
}
