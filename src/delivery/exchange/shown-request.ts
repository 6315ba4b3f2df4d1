/**
 * A request as a person may see it: what proves who sends it is hidden, all else is as it would be sent. Pure.
 */
import { Buffer } from "node:buffer";
import { LINEAGE_HEADER } from "../../events/lineage-header.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import type { OutgoingRequest } from "../rules/attempt.ts";
import { authHeaders } from "./request.ts";
import { isSecretHeader } from "./secret-headers.ts";

const HIDDEN = "***";
const SIGNATURE_HEADER = "webhook-signature";

export interface ShownRequest {
	method: string;
	url: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** The body is text where its bytes are UTF-8 without a NUL, else base64. */
	body: { text: string } | { base64: string };
}

export function showRequest(
	request: OutgoingRequest,
	{ auth }: Pick<ReadableEndpoint, "auth">,
): ShownRequest {
	const credentials = authHeaders(auth);
	const headers = Object.entries(request.headers).map(([name, value]) => {
		if (name === SIGNATURE_HEADER) return [name, hideSignatures(value)];
		const isHidden = name === LINEAGE_HEADER || isSecretHeader(name) || Object.hasOwn(credentials, name);
		return [name, isHidden ? HIDDEN : value];
	});
	return {
		method: request.method,
		url: request.url,
		headers: Object.fromEntries(headers) as Record<string, string>,
		body: bodyOf(request.body ?? new Uint8Array()),
	};
}

/** How many there are and of which kind, as in `v1,*** v1,***`: a request that is never sent must not be one that counts. */
function hideSignatures(signatures: string): string {
	return signatures
		.split(" ")
		.map((signature) => `${signature.split(",")[0]},${HIDDEN}`)
		.join(" ");
}

function bodyOf(bytes: Uint8Array): ShownRequest["body"] {
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		if (!text.includes("\0")) return { text };
	} catch {
		// Bytes, then.
	}
	return { base64: Buffer.from(bytes).toString("base64") };
}
