/** What can be asked of events in a query string. */
import * as z from "zod";
import { typePattern } from "../fields/fields.ts";
import { timeField } from "../fields/times.ts";
import { pageQuery } from "../http/query.ts";

export const eventListQuery = z.strictObject({
	...pageQuery,
	source: z.string().optional(),
	type: typePattern.optional(),
	since: timeField.optional(),
	until: timeField.optional(),
});

export const eventGetQuery = z.strictObject({ explain: z.enum(["true", "false"]).optional() });

/** A trace takes no parameters. */
export const traceQuery = z.strictObject({});
