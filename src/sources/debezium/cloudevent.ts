/**
 * Converts one record of Debezium's CloudEvents format to an event
 * (https://debezium.io/documentation/reference/stable/integrations/cloudevents.html). Pure.
 *
 * Its id is a position in the database's log (`name:…;lsn:…;txId:…`), and several rows can share one: all rows of a
 * snapshot, of a COPY, or of one event of MySQL's binlog. A hash of the change is appended to make the id unique. The
 * type contains table and operation if Debezium sends extensions with them; otherwise it is kept.
 */
import { checkAttributes } from "../../events/cloudevents/attributes.ts";
import type { CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { isJson, parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { isUsableText, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { changeType, subjectOf } from "./naming.ts";
import { withoutSchema } from "./record.ts";
import { type JsonObject, isObject } from "../reading/json-body.ts";

/** Hex digits of the hash. Two changes at one position have the same hash once in 2^64 cases. */
const SUFFIX_LENGTH = 16;

/** `at` is the position of the event in the request, such as "[3]"; "" if it is the only one. */
export function readCloudEvent(
	record: JsonObject,
	primaryKey: string,
	at: string,
): { ok: true; event: CloudEvent } | Refusal {
	const members = memberTexts(record.text);
	const { data: _, ...raw } = record.value;
	const { datacontenttype } = raw;
	if (typeof datacontenttype === "string" && !isJson(parseMediaType(datacontenttype))) {
		const path = at === "" ? "datacontenttype" : `${at}.datacontenttype`;
		return refuse(
			415,
			"unsupported_media_type",
			"The event data must be JSON. Configure Debezium to write JSON data.",
			path,
		);
	}
	const checked = checkAttributes(
		Object.entries(raw).map(([name, value]) => [name, extensionValue(name, value, members.get(name))]),
		at,
	);
	if (!checked.ok) return checked;
	const { attributes } = checked;
	const table = usableText(attributes["iodebeziumtable"]) ?? usableText(attributes["iodebeziumcollection"]);
	const namespace = usableText(attributes["iodebeziumschema"]) ?? usableText(attributes["iodebeziumdb"]);
	const type = changeType(namespace, table, usableText(attributes["iodebeziumop"])) ?? attributes.type;
	const data = dataOf(record.value["data"], members.get("data"));
	const subject = attributes.subject ?? subjectOf(table, data, primaryKey);
	const suffix = contentHash(type, table ?? "", data.text).slice(0, SUFFIX_LENGTH);
	const named = { id: `${attributes.id};${suffix}`, type, ...(subject !== undefined && { subject }) };
	return {
		ok: true,
		event: { attributes: { ...attributes, ...named }, data: { kind: "json", text: data.text } },
	};
}

/** Debezium writes values that CloudEvents cannot hold. 64-bit integers are kept as digits, other values are dropped. */
function extensionValue(name: string, value: unknown, text: string | undefined): unknown {
	if (!name.startsWith("iodebezium")) return value;
	if (!/^[a-z0-9]+$/.test(name)) return undefined;
	if (typeof value === "boolean") return value;
	if (typeof value === "number") return value === (value | 0) ? value : text;
	return typeof value === "string" && isUsableText(value) ? value : undefined;
}

/** `{before, after}`, or the whole envelope if the connector is configured so. Each may be in `{schema, payload}`. */
function dataOf(value: unknown, text = "null"): JsonObject {
	if (!isObject(value)) return { text, value: {} };
	return withoutSchema({ text, value }) ?? { text: "null", value: {} };
}
