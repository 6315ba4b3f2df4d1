/**
 * S3 through an EventBridge rule to an API destination
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html). Attributes follow the CloudEvents adapter for
 * S3, with EventBridge's names for the operations: `ObjectCreated:PutObject`.
 */
import { refuse } from "../../http/refusal.ts";
import { timeFrom, usableText } from "../reading/attribute-values.ts";
import { idAt, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import { type Parsed, type ParseInput, type Sample, defineKind, noSettings } from "../kind.ts";
import { s3EventbridgeSetup } from "./setup.ts";

export const s3Eventbridge = defineKind({
	settings: noSettings,
	defaultAuth: { type: "header", name: "x-api-key" },
	parse: async (input) => parse(input),
	setup: s3EventbridgeSetup,
	sample,
});

/** The members that every S3 event has. */
const REQUIRED = [["detail-type"], ["region"], ["detail", "bucket", "name"]];

function parse({ headers, body, now }: ParseInput): Parsed {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	if (valueAt(json, "source") !== "aws.s3") {
		const message = '"source" must be "aws.s3". Change the rule to match only this source.';
		return refuse(400, "invalid_payload", message, "source");
	}
	const id = idAt(json, "id");
	const missing =
		id === undefined ? "id" : REQUIRED.find((path) => textAt(json, ...path) === undefined)?.join(".");
	if (id === undefined || missing !== undefined) {
		return refuse(400, "invalid_payload", `"${missing}" must be a text.`, missing);
	}
	const [action = "", region = "", bucket = ""] = REQUIRED.map((path) => textAt(json, ...path));
	// Not encoded, unlike in S3's own notifications.
	const key = usableText(valueAt(json, "detail", "object", "key"));
	const attributes = {
		id,
		source: `aws:s3.${[region, bucket].map(encodeURIComponent).join(".")}`,
		type: typeOf(action, textAt(json, "detail", "reason")),
		...(key !== undefined && { subject: key }),
		time: timeFrom(valueAt(json, "time")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** "Object Created" for the reason "PutObject"; most other S3 events have no reason. */
function typeOf(action: string, reason: string | undefined): string {
	const words = [action, ...(reason === undefined ? [] : [reason])].map((word) => word.replaceAll(" ", ""));
	return `com.amazonaws.s3.${words.join(":")}`;
}

function sample(now: number): Sample {
	const body = {
		version: "0",
		id: crypto.randomUUID(),
		"detail-type": "Object Created",
		source: "aws.s3",
		account: "111122223333",
		time: new Date(now).toISOString().replace(/\.\d+/, ""),
		region: "eu-central-1",
		resources: ["arn:aws:s3:::scans"],
		detail: {
			version: "0",
			bucket: { name: "scans" },
			object: {
				key: "2026/red flower.jpg",
				size: 482_133,
				etag: "b1946ac92492d2347c6235b4d2611184",
				"version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
				sequencer: now.toString(16).toUpperCase().padStart(18, "0"),
			},
			"request-id": "N4N7GDK58NMKJ12R",
			requester: "111122223333",
			"source-ip-address": "198.51.100.7",
			reason: "PutObject",
		},
	};
	return { headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(body) };
}
