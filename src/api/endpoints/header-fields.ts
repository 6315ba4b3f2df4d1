/** The headers of an endpoint on the wire: allowed names and values, and the size limit. */
import * as z from "zod";
import { headersFit, MAX_HEADER_BYTES, refuseHeader } from "../../delivery/exchange/request/header-guard.ts";

export const headersField = z.record(z.string(), z.string()).superRefine((headers, context) => {
	const spellings = new Map<string, string>();
	for (const [name, value] of Object.entries(headers)) {
		const other = spellings.get(name.toLowerCase());
		spellings.set(name.toLowerCase(), name);
		const message =
			refuseHeader(name, value) ?? (other === undefined ? null : `is the same header as ${other}`);
		if (message !== null) context.addIssue({ code: "custom", path: [name], message });
	}
	if (!headersFit(headers)) {
		context.addIssue({ code: "custom", message: `at most ${MAX_HEADER_BYTES} bytes in total` });
	}
});
