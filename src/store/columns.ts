/**
 * JSON in columns and copies, read by a schema. What a newer release has stored in a form of its own cannot be read: it
 * is null then, and never an exception, so that one row fails no list and no neighbour.
 */
import type * as z from "zod";

/** null when the text is no JSON, or not what the schema says. */
export function readColumn<T>(schema: z.ZodType<T>, text: string): T | null {
	try {
		const read = schema.safeParse(JSON.parse(text));
		return read.success ? read.data : null;
	} catch {
		return null;
	}
}
