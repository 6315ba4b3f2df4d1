/** The sample input for an endpoint test that gives none. Pure. */
import type { Protocol } from "./protocol.ts";

const ANY = { text: "A sample from Sluice." };

/** JSON text of an input that most servers of the protocol accept. */
export function sampleFor({ sample = ANY }: Pick<Protocol, "sample">): string {
	return JSON.stringify(sample);
}
