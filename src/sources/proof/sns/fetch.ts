/**
 * Fetches certificates and confirmations from SNS: only from SNS's own hosts, without following redirects, bounded in
 * time and size.
 */
import { regionOfService } from "../../../http/aws-hosts.ts";
import { readResponse } from "../../../http/read-response.ts";

const TIMEOUT_MS = 3_000;
/** A certificate has about 2 KB. */
const MAX_BYTES = 65_536;

/** Returns the URL if it is an https URL of SNS with the default port, else null. */
export function snsUrl(text: string): URL | null {
	const url = URL.parse(text);
	if (url === null || url.protocol !== "https:" || url.port !== "") return null;
	// https://docs.aws.amazon.com/general/latest/gr/sns.html
	if (regionOfService(url.hostname, "sns") === null) return null;
	return url.username === "" && url.password === "" && url.hash === "" ? url : null;
}

/** Returns null if SNS did not respond in time, or the response is too large. */
export async function fetchFromSns(url: URL): Promise<{ status: number; text: string } | null> {
	try {
		const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
		const text = await readResponse(response, MAX_BYTES);
		return text === null ? null : { status: response.status, text };
	} catch {
		// All failures are the same to the caller.
		return null;
	}
}
