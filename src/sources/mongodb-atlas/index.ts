/**
 * MongoDB Atlas: a database trigger calls an Atlas Function, which posts the change event as Extended JSON
 * (https://www.mongodb.com/docs/manual/reference/change-events/).
 */
import { refuse } from "../../http/refusal.ts";
import { isTimestamp } from "../../events/cloudevents/attributes.ts";
import { sourcePath, timeFrom, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { idAt, type JsonObject, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import { type Parsed, type ParseInput, type Sample, defineKind, noSettings } from "../kind.ts";
import { mongodbAtlasSetup } from "./setup.ts";

export const mongodbAtlas = defineKind({
	settings: noSettings,
	defaultAuth: { type: "standard_webhooks" },
	parse: async (input) => parse(input),
	setup: mongodbAtlasSetup,
	sample,
});

function parse({ source, headers, body, now }: ParseInput): Parsed {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const operation = textAt(json, "operationType");
	if (operation === undefined || !/^\w{1,64}$/.test(operation)) {
		return refuse(400, "invalid_payload", '"operationType" must name an operation.', "operationType");
	}
	const database = textAt(json, "ns", "db");
	const collection = textAt(json, "ns", "coll");
	const subject = subjectOf(json, collection);
	const attributes = {
		// The resume token, which is unique for each change of the deployment.
		id: idAt(json, "_id", "_data") ?? contentHash(json.text),
		source: sourcePath("mongodb", source.name, ...(database === undefined ? [] : [database])),
		type: typeOf(database, collection, operation),
		...(subject !== undefined && { subject }),
		time: timeOf(json) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** For a whole database, or the stream itself, the type is shorter: `app.dropDatabase`, `mongodb.invalidate`. */
function typeOf(database: string | undefined, collection: string | undefined, operation: string): string {
	const parts = [database ?? "mongodb", ...(collection === undefined ? [] : [collection]), operation];
	return usableText(parts.join(".")) ?? `mongodb.${operation}`;
}

function subjectOf(json: JsonObject, collection: string | undefined): string | undefined {
	if (collection === undefined) return undefined;
	const key = documentKey(json);
	return key === undefined ? collection : (usableText(`${collection}/${key}`) ?? collection);
}

/** Extended JSON represents types that JSON lacks as an object with one member. */
const KEY_TYPES = ["$oid", "$uuid", "$numberLong", "$numberInt", "$numberDecimal", "$numberDouble"];

function documentKey(json: JsonObject): string | undefined {
	const path = ["documentKey", "_id"];
	return [[], ...KEY_TYPES.map((type) => [type])]
		.map((type) => textAt(json, ...path, ...type))
		.find((key) => key !== undefined);
}

/** `wallTime` has milliseconds. Older servers send only the cluster's clock, in seconds. */
function timeOf(json: JsonObject): string | undefined {
	const date = valueAt(json, "wallTime", "$date");
	if (typeof date === "string" && isTimestamp(date)) return date;
	const ms = Number(valueAt(json, "wallTime", "$date", "$numberLong"));
	if (ms > 0 && ms <= Date.UTC(9999, 11, 31)) return new Date(ms).toISOString();
	const seconds = valueAt(json, "clusterTime", "$timestamp", "t");
	return typeof seconds === "number" && seconds > 0 ? timeFrom(seconds) : undefined;
}

/** An insert, as a trigger with "Full Document" receives it. */
function sample(now: number): Sample {
	const id = (now.toString(16) + "0".repeat(24)).slice(0, 24);
	const seconds = Math.floor(now / 1000);
	const body = {
		_id: { _data: `82${seconds.toString(16).toUpperCase()}000000012B042C0100296E5A1004${id.toUpperCase()}` },
		operationType: "insert",
		clusterTime: { $timestamp: { t: seconds, i: 1 } },
		wallTime: { $date: new Date(now).toISOString() },
		ns: { db: "app", coll: "documents" },
		documentKey: { _id: { $oid: id } },
		fullDocument: { _id: { $oid: id }, path: "scans/1004.png", bytes: { $numberLong: "482133" } },
	};
	return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
