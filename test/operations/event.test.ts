import { expect, test } from "vitest";
import { eventId, logOf } from "../../src/events/ids.ts";
import { chainOf, hopsOf, lineageAfter, lineageAttributes } from "../../src/events/lineage.ts";
import { buildOperationalEvent, isOperational } from "../../src/operations/event.ts";
import {
	backlogFull,
	backlogHigh,
	deliveryDead,
	endpointRecovered,
	endpointStopped,
	keyChanged,
	OPERATIONAL_TYPES,
	type Occurrence,
	sourceRecovered,
	sourceSilent,
	verificationFailing,
} from "../../src/operations/occurrence.ts";
import { WINDOW_MS } from "../../src/operations/windows.ts";

const NOW = 6_000 * WINDOW_MS;
const OCR = { id: "ep_ocr", name: "ocr", version: "3" };
const DOCS = { id: "src_docs", name: "docs" };
const KEY = { id: "key_1", name: "ci", role: "viewer" };
const DEAD = {
	id: "dlv_1",
	eventId: "evt_1",
	subscriptionId: "sub_1",
	subscriptionName: "scans",
	reason: "exhausted",
};
const NAMED = { endpoint_id: "ep_ocr", endpoint: "ocr@3" };

const ALL: [Occurrence, string, Record<string, unknown>][] = [
	[endpointStopped(OCR, "paused", "quota"), "ocr@3", { ...NAMED, reason: "quota" }],
	[endpointStopped(OCR, "disabled", "gone"), "ocr@3", { ...NAMED, reason: "gone" }],
	[
		endpointRecovered(OCR, { status: "paused", reason: "quota" }),
		"ocr@3",
		{ ...NAMED, was: "paused", reason: "quota" },
	],
	[backlogHigh(OCR, 8, 10), "ocr@3", { ...NAMED, backlog: 8, limit: 10 }],
	[backlogFull(OCR, 2, 10, 10), "ocr@3", { ...NAMED, refused: 2, backlog: 10, limit: 10 }],
	[
		deliveryDead(OCR, DEAD),
		"ocr@3",
		{
			...NAMED,
			reason: "exhausted",
			delivery_id: "dlv_1",
			event_id: "evt_1",
			subscription: "scans",
			subscription_id: "sub_1",
		},
	],
	[verificationFailing(DOCS, 5), "docs", { source_id: "src_docs", source: "docs", refusals: 5 }],
	[
		sourceSilent(DOCS, 60, 0),
		"docs",
		{
			source_id: "src_docs",
			source: "docs",
			expect_every_seconds: 60,
			last_event_at: "1970-01-01T00:00:00.000Z",
		},
	],
	[
		sourceRecovered(DOCS, 0),
		"docs",
		{
			source_id: "src_docs",
			source: "docs",
			reason: "silent",
			silent_since: "1970-01-01T00:00:00.000Z",
		},
	],
	[
		keyChanged("created", KEY, { id: "root", name: "root" }),
		"ci",
		{ key_id: "key_1", key: "ci", role: "viewer", actor_id: "root", actor: "root" },
	],
	[
		keyChanged("deleted", KEY, { id: "root", name: "root" }),
		"ci",
		{ key_id: "key_1", key: "ci", role: "viewer", actor_id: "root", actor: "root" },
	],
];

test("there is an occurrence of every type", () => {
	expect(new Set(ALL.map(([{ type }]) => type))).toEqual(new Set(OPERATIONAL_TYPES));
});

test.each(ALL)("$type is an event of the source sluice", (occurrence, subject, data) => {
	const event = buildOperationalEvent(occurrence, 3, NOW);
	expect(event).toMatchObject({ sourceId: "src_sluice", receivedAt: NOW });
	expect(event.attributes).toMatchObject({ source: "/sluice", type: occurrence.type, subject });
	expect(event.id).toBe(eventId("src_sluice", event.attributes));
	expect(logOf(event)).toBe("src_sluice");
	expect(JSON.parse(event.data?.kind === "json" ? event.data.text : "")).toEqual({ ...data, suppressed: 3 });
});

test("two isolates create the same id in one window, and another in the next", () => {
	const occurrence = verificationFailing(DOCS, 5);
	const { id } = buildOperationalEvent(occurrence, 0, NOW + 1);
	const other = verificationFailing(DOCS, 9);
	expect(buildOperationalEvent(other, 2, NOW + WINDOW_MS - 1).id).toBe(id);
	expect(buildOperationalEvent(occurrence, 0, NOW + WINDOW_MS).id).not.toBe(id);
});

test("deliveries that died for different reasons are different events", () => {
	const other = deliveryDead(OCR, { ...DEAD, reason: "rejected" });
	expect(buildOperationalEvent(other, 0, NOW).id).not.toBe(
		buildOperationalEvent(deliveryDead(OCR, DEAD), 0, NOW).id,
	);
});

test("operational events and everything they cause are recognised, and start a chain of results like any other", () => {
	const event = buildOperationalEvent(keyChanged("created", KEY, KEY), 0, NOW);
	expect(hopsOf(event.attributes)).toBe(0);
	expect(isOperational(event)).toBe(true);
	const attributes = {
		id: "1",
		source: "/endpoints/chat@1",
		type: "chat.completed",
		...lineageAttributes(lineageAfter(event, "sub_1", null)),
	};
	expect(chainOf(attributes)).toEqual(["src_sluice", "sub_1"]);
	expect(isOperational({ sourceId: "src_results", attributes })).toBe(true);
	expect(isOperational({ sourceId: "src_results", attributes: { id: "1", source: "/", type: "t" } })).toBe(
		false,
	);
});
