/** The description of the route to which model servers post the outputs of jobs. */
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
			"The router sends this URL to the model server with each request that may start a job. Its query, `?attempt=1`, names the attempt; without it, the latest attempt is meant. The server posts the output here when the job ends: for protocol `http` the body that it would have responded with, for others what such servers post. 200 means that the output is stored or no longer needed. After any other status, post it again.",
		params: {
			delivery: "The delivery's id, `dlv_…`.",
			token: "Proves that the request belongs to the delivery.",
		},
		headers: {
			"sluice-status": {
				text: "The HTTP status that the body is treated as having, 200 to 599.",
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
							"`taken`: the callback has ended the job; `running`: the job is still running; `none`: the delivery no longer waits for it.",
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
