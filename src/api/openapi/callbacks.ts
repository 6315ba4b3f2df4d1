/** The route to which model servers post the outputs of jobs, described. */
import * as z from "zod";
import type { OperationDescription } from "./operation.ts";

export const callbackOperations: readonly OperationDescription[] = [
	{
		tag: "Callbacks",
		access: "url",
		method: "post",
		path: "/callbacks/{delivery}/{token}",
		id: "takeCallback",
		summary: "Post the output of a job",
		description:
			"The router sends this URL to the model server with each request of a job; its query, `?attempt=1`, names the attempt, and without it the latest attempt is meant. The server posts the output here when the job ends: for protocol `http` the body that it would have responded with, for others what such servers post. 200 means that the output is stored; after any other status, post it again.",
		params: {
			delivery: "The delivery's id, `dlv_…`.",
			token: "Proves that the request belongs to the delivery.",
		},
		headers: {
			"sluice-status": {
				text: "The HTTP status as which the body counts, 200 to 599.",
				schema: { pattern: "^[2-5]\\d\\d$", default: "200" },
			},
		},
		takes: {
			"application/json": { text: "The output, or the job as the protocol's server reports it." },
			"*/*": { text: "The output as text or bytes. No body: there is no output." },
		},
		responses: {
			200: {
				text: "The callback has been read.",
				schema: {
					name: "CallbackTaken",
					schema: z.strictObject({ id: z.string(), effect: z.enum(["taken", "running", "none"]) }),
					fields: {
						id: "The delivery's id.",
						effect:
							"`taken`: it has ended the job; `running`: the job goes on; `none`: the delivery does not wait for it any more.",
					},
				},
			},
		},
		codes: [
			"invalid_status",
			"body_incomplete",
			"callback_unsigned",
			"callback_not_found",
			"body_too_large",
			"unsupported_content_encoding",
		],
	},
];
