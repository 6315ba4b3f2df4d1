/**
 * Reads JSON from columns and copies with a schema. A value that a newer release stored in another form reads as null,
 * not as an exception, so that one row does not fail a whole list.
 */
import type * as z from "zod";

/** Returns null if the text is not JSON or does not match the schema. */
export function readColumn<T>(schema: z.ZodType<T>, text: string): T | null {
	try {
		const read = schema.safeParse(JSON.parse(text));
		return read.success ? read.data : null;
	} catch {
		return null;
	}
}
