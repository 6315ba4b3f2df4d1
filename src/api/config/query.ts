/** The query of `POST /v1/config`. */
import * as z from "zod";

const flag = z
	.enum(["true", "false"])
	.transform((text) => text === "true")
	.optional();

/** The options that both the query and the body may have. */
export interface Flags {
	dry_run?: boolean | undefined;
	prune?: boolean | undefined;
}

/** For a document that is sent unchanged after an export. The body can have the same members. */
export const configQuery = z.strictObject({
	dry_run: flag.describe("`true`: only return the plan."),
	prune: flag.describe("`true`: delete everything that is missing in the lists of the document."),
});
