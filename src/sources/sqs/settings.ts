/** The settings of kind `sqs`: the queue, and the access key that may read it. */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { refuseQueueUrl, regionOf } from "./queue.ts";

export const sqsSettings = z
	.strictObject({
		queue_url: z.string("is required: the URL of the queue").superRefine((url, context) => {
			const allowPrivate = env.ALLOW_PRIVATE_ENDPOINTS === "true";
			const message = refuseQueueUrl(url, { allowPrivate });
			if (message !== null) context.addIssue({ code: "custom", message });
		}),
		region: z
			.string()
			.regex(/^[a-z0-9-]{1,32}$/, "the code of a region, such as eu-central-1")
			.optional(),
		/** The secret access key is the source's secret. */
		access_key_id: z.string("is required").refine(isAccessKeyId, "the id of an access key"),
	})
	.transform(({ region, ...settings }, context) => {
		const resolved = region ?? regionOf(settings.queue_url);
		if (resolved !== null) return { ...settings, region: resolved };
		context.addIssue({
			code: "custom",
			path: ["region"],
			message: "is required: the URL of the queue does not name it",
		});
		return z.NEVER;
	});

/** AWS's ids have 20 characters. Emulators accept any, and often use "test". */
function isAccessKeyId(id: string): boolean {
	return (env.ALLOW_PRIVATE_ENDPOINTS === "true" ? /^[\w-]{1,128}$/ : /^\w{16,128}$/).test(id);
}

/** Whether the URL may be called is checked when it is written, and again before each call. */
export const storedSqsSettings = z.object({
	queue_url: z.string(),
	region: z.string(),
	access_key_id: z.string(),
});

export type SqsSettings = z.output<typeof storedSqsSettings>;
