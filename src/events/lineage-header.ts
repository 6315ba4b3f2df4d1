/**
 * The header by which a delivery says what an event that comes of it has behind it: whoever posts such an event passes
 * the header on, and the router goes on counting where it would otherwise begin anew. Signed, because it is the router
 * that has to believe it, and valid for a day, so that a header that was kept cannot be put on events for ever.
 *
 * An endpoint that misuses one gains nothing: its own events end sooner and are counted to an event that it was sent.
 */
import * as z from "zod";
import { isOwnSignature, signOwn } from "../crypto/own-signature.ts";
import type { KeyEnv } from "../crypto/key-materials.ts";
import type { SluiceEvent } from "./event.ts";
import { type Lineage, lineageAttributes, MAX_HOPS } from "./lineage.ts";

export const LINEAGE_HEADER = "sluice-lineage";

/** A model may take its time: what it posts a day later still belongs to what it was sent. */
const VALID_MS = 86_400_000;
/** How far the clock of the isolate that signed may be ahead. */
const CLOCK_SLACK_MS = 300_000;
const VERSION = "v1";
/** A correlation id of 1,024 bytes and the longest chain take some 3,000 characters. */
const MAX_LENGTH = 4_096;

/** Short names, because it is sent with every request. */
const signed = z.object({
	/** When it was signed, ms since the epoch. */
	at: z.number(),
	hops: z.number().int().min(1),
	chain: z.array(z.string()).max(2 * MAX_HOPS),
	budget: z.number().int().min(0).nullable(),
	correlation: z.union([z.string(), z.number(), z.boolean()]),
	cause: z.string(),
});

/** The header's value, `v1.{base64url of JSON}.{signature}`; null while no key is set. `now` in ms. */
export function lineageHeader(env: KeyEnv, lineage: Lineage, now: number): string | null {
	const { hops, chain, budget, correlationId, causationId } = lineage;
	const content = { at: now, hops, chain, budget, correlation: correlationId, cause: causationId };
	const text = `${VERSION}.${Buffer.from(JSON.stringify(content satisfies z.infer<typeof signed>)).toString("base64url")}`;
	const signature = signOwn(env, "lineage", text);
	return signature === null ? null : `${text}.${signature}`;
}

/** What the header says; null when there is none, or none that this router has signed within the last day. */
export function readLineage(env: KeyEnv, headers: Headers, now: number): Lineage | null {
	const value = headers.get(LINEAGE_HEADER);
	if (value === null || value.length > MAX_LENGTH) return null;
	const [version, content, signature, ...more] = value.split(".");
	if (version !== VERSION || content === undefined || signature === undefined || more.length > 0) return null;
	if (!isOwnSignature(env, "lineage", `${version}.${content}`, signature)) return null;
	const said = parse(Buffer.from(content, "base64url").toString());
	if (said === null || said.at > now + CLOCK_SLACK_MS || said.at < now - VALID_MS) return null;
	const { hops, chain, budget, correlation, cause } = said;
	return { hops, chain, budget, correlationId: correlation, causationId: cause };
}

/** The events as they go on from there; their ids, by which repeated ones are recognised, stay as they are. */
export function continueLineage(events: readonly SluiceEvent[], lineage: Lineage | null): SluiceEvent[] {
	if (lineage === null) return [...events];
	const attributes = lineageAttributes(lineage);
	return events.map((event) => ({ ...event, attributes: { ...event.attributes, ...attributes } }));
}

/** null when a newer release has signed it in a form of its own. */
function parse(text: string): z.infer<typeof signed> | null {
	try {
		return signed.parse(JSON.parse(text));
	} catch {
		return null;
	}
}
