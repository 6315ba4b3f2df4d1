/** The set-up of custom publishers: a curl request with the authentication that the source requires. */
import type { SourceAuth } from "../../store/records.ts";
import { headersOf } from "../../crypto/signed-content.ts";
import { SAMPLE_HEADER } from "../proof/sign.ts";
import { writeSignature } from "../proof/signature-header.ts";
import type { SignatureScheme } from "../proof/signature-scheme.ts";
import { schemeOf } from "../proof/signature-schemes.ts";
import { signedBytes } from "../proof/signed-bytes.ts";
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
	const code = signedCurl(auth, { send, url, secret, body, contentType });
	return {
		variants: [{ name: "curl", title: "Any program that can send HTTP", steps: [{ ...step, code }] }],
	};
}

interface Target {
	/** The beginning of the command, up to URL and content type. */
	send: string;
	url: string;
	secret: string;
	body: string;
	contentType: string;
}

function signedCurl(auth: SourceAuth, target: Target): string {
	const { send, secret, body } = target;
	const plain = (...headers: string[]) =>
		[send, ...headers.map((header) => `-H ${quoted(header)}`), `--data-binary '${body}'`].join(" \\\n  ");
	switch (auth.type) {
		case "none":
		case "url_token":
		// Only the provider can authenticate this way, and its kind has its own set-up.
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
			return hmacCurl(schemeOf(auth), target);
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

function hmacCurl(scheme: SignatureScheme, target: Target): string {
	const { algorithm, encoding, secretEncoding, timestamp } = scheme;
	const { send, secret, body } = target;
	const encode = encoding === "hex" ? "-r | cut -d' ' -f1" : "-binary | openssl base64 -A";
	const literal = { ...scheme, prefix: escapedInQuotes(scheme.prefix) };
	const headers = [
		...coveredHeaders(scheme).map((name) => [name, SAMPLE_HEADER] as const),
		...Object.entries(writeSignature(literal, "$timestamp", "$signature")),
	];
	const key = secretEncoding === "utf8" ? `-hmac '${secret}'` : '-mac HMAC -macopt "hexkey:$key"';
	const toHex = "| openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n'";
	return [
		`body='${body}'`,
		...(timestamp === null ? [] : ["timestamp=$(date +%s)"]),
		...(secretEncoding === "utf8"
			? []
			: [`key=$(printf %s '${secret}'${secretEncoding === "hex" ? "" : ` ${toHex}`})`]),
		`signature=$(printf %s "${signedText(scheme, target)}" | openssl dgst -${algorithm} ${key} ${encode})`,
		[send, ...headers.map(([name, value]) => `-H "${name}: ${value}"`), '--data-binary "$body"'].join(
			" \\\n  ",
		),
	].join("\n");
}

/** Returns the signed headers that the command must set in addition. */
function coveredHeaders({ content }: SignatureScheme): string[] {
	return [...new Set(headersOf(content))].filter((name) => name !== "content-type");
}

/** Returns the signed text, for use in double quotes of a shell. */
function signedText(scheme: SignatureScheme, { url, body, contentType }: Target): string {
	const covered = coveredHeaders(scheme).map((name) => [name, SAMPLE_HEADER]);
	const headers = new Headers({ ...Object.fromEntries(covered), "content-type": contentType });
	return scheme.content
		.map((part) => {
			if ("place" in part && part.place === "timestamp") return "${timestamp}";
			if ("place" in part && part.place === "body") return "${body}";
			const bytes = signedBytes([part], "", { url, headers, body: Buffer.from(body) }) ?? [];
			return escapedInQuotes(bytes.map(String).join(""));
		})
		.join("");
}

/** Quotes any text as one shell word. */
function quoted(text: string): string {
	return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Escapes a text for use in double quotes of a shell. */
function escapedInQuotes(text: string): string {
	return text.replace(/[\\"$`]/g, String.raw`\$&`);
}
