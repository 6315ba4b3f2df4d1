/**
 * The lineage header of a delivery. An endpoint that posts a follow-up event sends the header back, so that the router
 * continues its hop and budget counts instead of starting at zero. The header is signed because the router has to
 * trust it, and expires after a day so that it cannot be reused forever.
 *
 * An endpoint gains nothing by misusing a header: its events are only limited sooner and counted against another
 * event.
 */
import * as z from "zod";
import { isOwnSignature, signOwn } from "../crypto/own-signature.ts";
import type { KeyEnv } from "../crypto/key-materials.ts";
import type { SluiceEvent } from "./event.ts";
import { type Lineage, lineageAttributes, MAX_HOPS } from "./lineage.ts";

export const LINEAGE_HEADER = "sluice-lineage";

/** A day, because a model may take hours before it posts its output. */
const VALID_MS = 86_400_000;
/** How far ahead the signing isolate's clock may be. */
const CLOCK_SLACK_MS = 300_000;
const VERSION = "v1";
/** A correlation id of 1,024 bytes and the longest chain take about 3,000 characters. */
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

/** Returns the header's value, `v1.{base64url of JSON}.{signature}`, or null if no key is set. `now` in ms. */
export function lineageHeader(env: KeyEnv, lineage: Lineage, now: number): string | null {
	const { hops, chain, budget, correlationId, causationId } = lineage;
	const content = { at: now, hops, chain, budget, correlation: correlationId, cause: causationId };
	const text = `${VERSION}.${Buffer.from(JSON.stringify(content satisfies z.infer<typeof signed>)).toString("base64url")}`;
	const signature = signOwn(env, "lineage", text);
	return signature === null ? null : `${text}.${signature}`;
}

/** Returns the header's content, or null if it is missing or was not signed by this router within the last day. */
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

/** Returns the events with the lineage attributes set. Ids stay the same, because they identify duplicates. */
export function continueLineage(events: readonly SluiceEvent[], lineage: Lineage | null): SluiceEvent[] {
	if (lineage === null) return [...events];
	const attributes = lineageAttributes(lineage);
	return events.map((event) => ({ ...event, attributes: { ...event.attributes, ...attributes } }));
}

/** Returns null if a newer release signed it in a form that this release does not know. */
function parse(text: string): z.infer<typeof signed> | null {
	try {
		return signed.parse(JSON.parse(text));
	} catch {
		return null;
	}
}
