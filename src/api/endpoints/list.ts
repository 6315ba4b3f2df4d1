/** The filters of the endpoint list. */
import * as z from "zod";
import { PROTOCOL_NAMES, isProtocolName } from "../../models/registry.ts";
import { ENDPOINT_STATUSES, type Endpoint } from "../../store/records.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { namePattern } from "../fields/fields.ts";
import { statusOf } from "../fields/status.ts";
import { pageQuery } from "../http/query.ts";

export const endpointListQuery = z.strictObject({
	...pageQuery,
	name: namePattern.optional().describe("The name without its version, or a prefix of it followed by *."),
	protocol: z
		.string()
		.refine(isProtocolName, `one of: ${PROTOCOL_NAMES.join(", ")}`)
		.optional()
		.describe("Only endpoints with this protocol."),
	status: z.enum(ENDPOINT_STATUSES).optional().describe("Only endpoints with this status."),
});

type Query = z.output<typeof endpointListQuery>;

export function endpointsMatching({ name, protocol }: Query): Condition[] {
	return [
		...(name === undefined ? [] : [matchesOneOf("name", [name])]),
		...(protocol === undefined ? [] : [matchesOneOf("protocol", [protocol])]),
	];
}

/** The shown status depends on more than its column: on whether its secrets can be read. */
export function hasStatus(endpoint: Endpoint, { status }: Query): boolean {
	return status === undefined || statusOf(endpoint).status === status;
}
