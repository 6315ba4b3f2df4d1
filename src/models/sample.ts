/** What an endpoint is sent when somebody tries it and says nothing of the input. Pure. */
import type { Protocol } from "./protocol.ts";

const ANY = { text: "A sample from Sluice." };

/** JSON text of an input that most servers of the protocol take. */
export function sampleFor({ sample = ANY }: Pick<Protocol, "sample">): string {
	return JSON.stringify(sample);
}
