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
			"The model server is sent this URL with its request. Its query, `?attempt=1`, names the attempt that began the job; without it the latest one is meant. The body is what the protocol's servers post, or what an `http` endpoint would have responded with. 200 comes once it is written; anything else can be sent again.",
		params: {
			delivery: "The delivery's id, `dlv_…`.",
			token: "Proves that the request belongs to the delivery.",
		},
		headers: {
			"sluice-status": "The HTTP status as which the body counts, 200 to 599; by default 200.",
		},
		responses: {
			200: {
				text: "It has been read.",
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
