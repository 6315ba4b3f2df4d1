/**
 * Event notifications of R2 buckets, which Cloudflare puts into a queue that this Worker consumes. No requests are
 * involved, and only the account can write to the queue.
 * https://developers.cloudflare.com/r2/buckets/event-notifications/
 */
import * as z from "zod";
import { ownQueue } from "../../events/queue/names.ts";
import { refuse } from "../../http/refusal.ts";
import { sourcePath, timeFrom, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, readJsonObject, valueAt } from "../reading/json-body.ts";
import { type Sample, type Setup, type SetupTarget, defineKind } from "../kind.ts";

const r2Settings = z.strictObject({
	/** A queue of the Worker's account. Each queue has one source. */
	queue: z
		.string("is required: the name of the queue")
		.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "the name of a queue of Cloudflare")
		.refine((name) => ownQueue(name) === null, "is a queue of the router itself"),
});

export const r2 = defineKind({
	defaultAuth: { type: "none" },
	auths: ["none"],
	transport: "queue",
	settings: r2Settings,

	/** `body` is one message. */
	async parse({ body }) {
		const read = readJsonObject(body);
		if (!read.ok) return read;
		const { json } = read;
		const account = usableText(valueAt(json, "account"));
		const bucket = usableText(valueAt(json, "bucket"));
		const action = usableText(valueAt(json, "action"));
		const key = valueAt(json, "object", "key");
		if (account === undefined || bucket === undefined || action === undefined || typeof key !== "string") {
			return refuse(400, "invalid_r2_notification", "The message is not an R2 event notification.");
		}
		const subject = usableText(key);
		const time = timeFrom(valueAt(json, "eventTime"));
		const attributes = {
			id: idOf(json, bucket, key, action),
			source: `/r2${sourcePath(account, bucket)}`,
			type: `com.cloudflare.r2.${action}`,
			...(subject !== undefined && { subject }),
			...(time !== undefined && { time }),
			datacontenttype: "application/json",
		};
		return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
	},

	setup,
	sample,
});

/** R2 provides no id, and its queue may deliver a message twice. A deleted object has no eTag. */
function idOf(json: JsonObject, bucket: string, key: string, action: string): string {
	const [eTag, time] = [valueAt(json, "object", "eTag"), valueAt(json, "eventTime")].map((value) =>
		typeof value === "string" ? value : "",
	);
	return contentHash(bucket, key, eTag ?? "", time ?? "", action);
}

function setup({ settings: { queue } }: SetupTarget<z.output<typeof r2Settings>>): Setup {
	const consumer = [
		"[[queues.consumers]]",
		`queue = "${queue}"`,
		"max_batch_size = 100",
		"max_batch_timeout = 1",
		"max_retries = 100",
		"retry_delay = 30",
		`dead_letter_queue = "${queue}-dlq"`,
	].join("\n");
	const steps = [
		{
			title: "Create the queue, and one for messages that are not notifications",
			language: "shell" as const,
			code: [queue, `${queue}-dlq`]
				.map((name) => `npx wrangler queues info '${name}' || npx wrangler queues create '${name}'`)
				.join("\n"),
		},
		{
			title: "Make the router consume the queue: add this to its wrangler.toml, once",
			language: "toml" as const,
			code: consumer,
		},
		{
			title: "Deploy the router, then let the bucket notify the queue",
			language: "shell" as const,
			code: [
				"npx wrangler deploy",
				`npx wrangler r2 bucket notification delete '<BUCKET>' --queue '${queue}' || true`,
				`npx wrangler r2 bucket notification create '<BUCKET>' --queue '${queue}' \\\n  --event-type object-create object-delete`,
			].join("\n"),
		},
	];
	return {
		variants: [
			{
				name: "wrangler",
				title: "Wrangler, with a bucket in the account of the router",
				steps,
				remove: {
					title: "Stop the bucket from notifying; then remove the consumer from wrangler.toml",
					language: "shell",
					code: [
						`npx wrangler r2 bucket notification delete '<BUCKET>' --queue '${queue}'`,
						`npx wrangler queues consumer remove '${queue}' sluice`,
						`npx wrangler queues delete '${queue}'`,
						`npx wrangler queues delete '${queue}-dlq'`,
					].join("\n"),
				},
			},
		],
	};
}

/** As in Cloudflare's documentation. */
function sample(now: number): Sample {
	const notification = {
		account: "3f4b7e3dcab231cbfdaa90a6a28bd548",
		action: "CopyObject",
		bucket: "scans",
		object: { key: "2026/invoice-2041.png", size: 65536, eTag: "c846ff7a18f28c2e262116d6e8719ef0" },
		eventTime: new Date(now).toISOString(),
		copySource: { bucket: "inbox", object: "invoice-2041.png" },
	};
	return { headers: {}, body: JSON.stringify(notification) };
}
