/** docs/internals.md, "Segments": what it shows is a segment, once what is left out is filled in. */
import { expect, test } from "vitest";
import { decodeSegment } from "../../../src/events/queue/segment.ts";

const [page = ""] = Object.values(
	import.meta.glob<string>("../../../docs/internals.md", { query: "?raw", import: "default", eager: true }),
);

test("it is cut where its lengths say", () => {
	const shown = /^## Segments\n[^]*?```text\n([^]*?)```/m.exec(page)?.[1] ?? "";
	const second =
		'"id":"evt_2","sourceId":"src_1","receivedAt":1,"attributes":{…},"data":{"kind":"json","length":18}';
	const filled = shown
		.replace(",…]}", `,{${second}}]}`)
		.replaceAll("{…}", '{"id":"1","source":"/documents","type":"document.created"}');
	const [first, next] = decodeSegment(filled.trimEnd());
	expect(first?.data).toEqual({
		kind: "json",
		text: '{ "id": 9007199254740993, "title": "How sluice gates work" }',
	});
	expect(next?.data).toEqual({ kind: "json", text: '{"next":"payload"}' });
});
