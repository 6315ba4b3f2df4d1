/**
 * A request as the API may show it: credentials and signatures are masked, everything else is as it
 * would be sent. Pure.
 */
import { Buffer } from "node:buffer";
import { HIDDEN } from "../../../crypto/hidden.ts";
import type { EventData } from "../../../events/event.ts";
import { LINEAGE_HEADER } from "../../../events/lineage-header.ts";
import type { ReadableEndpoint } from "../../../store/records.ts";
import type { OutgoingRequest } from "../../rules/attempt.ts";
import { authHeaders } from "../request/request.ts";
import { isSecretHeader } from "../credentials/secret-headers.ts";

const SIGNATURE_HEADER = "webhook-signature";

export interface ShownRequest {
	method: string;
	url: string;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** Text if the bytes are UTF-8 without a NUL. */
	body: Extract<EventData, { kind: "text" | "binary" }>;
}

export function showRequest(
	request: OutgoingRequest,
	{ auth }: Pick<ReadableEndpoint, "auth">,
): ShownRequest {
	const credentials = authHeaders(auth);
	const headers = Object.entries(request.headers).map(([name, value]) => {
		if (name === SIGNATURE_HEADER) return [name, hideSignatures(value)];
		const isHidden = name === LINEAGE_HEADER || isCredential(name, credentials);
		return [name, isHidden ? HIDDEN : value];
	});
	return {
		method: request.method,
		url: request.url,
		headers: Object.fromEntries(headers) as Record<string, string>,
		body: bodyOf(request.body ?? new Uint8Array()),
	};
}

/**
 * Whether a header authenticates the sender: by its name, or because it is the endpoint's `auth`.
 */
export function isCredential(name: string, credentials: Record<string, string>): boolean {
	return isSecretHeader(name) || Object.hasOwn(credentials, name);
}

/**
 * Keeps the number and kind of signatures, as in `v1,*** v1,***`: a preview must not contain a
 * valid signature.
 */
function hideSignatures(signatures: string): string {
	return signatures
		.split(" ")
		.map((signature) => `${signature.split(",")[0]},${HIDDEN}`)
		.join(" ");
}

function bodyOf(bytes: Uint8Array): ShownRequest["body"] {
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		if (!text.includes("\0")) return { kind: "text", text };
	} catch {
		// Not text: binary.
	}
	return { kind: "binary", base64: Buffer.from(bytes).toString("base64") };
}
