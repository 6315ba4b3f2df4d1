import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { type OpenInbox, owedIn } from "../../../../src/delivery/ledger/queries/owed.ts";
import { createSetting, incoming, type Setting } from "../../dispatcher.fixtures.ts";

const NONE_READ: OpenInbox = { deliveries: 0, oldest: null, read: 0 };

async function inSql<T>({ dispatcher }: Setting, work: (sql: SqlStorage) => T): Promise<T> {
	return runInDurableObject(dispatcher, (_, { storage }) => work(storage.sql));
}

/** A stopped endpoint, to which so many deliveries came by each call. */
async function backlogOf(...calls: number[]): Promise<Setting> {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	for (const count of calls) {
		await setting.dispatcher.enqueue(Array.from({ length: count }, () => incoming(setting)));
	}
	return setting;
}

function seqsOf(sql: SqlStorage): number[] {
	const rows = sql.exec<{ seq: number }>("SELECT seq FROM inbox ORDER BY seq").toArray();
	return rows.map(({ seq }) => seq);
}

describe("unfinished deliveries", () => {
	test("is nothing to begin with", async () => {
		const setting = await backlogOf();
		expect(await inSql(setting, (sql) => owedIn(sql, NONE_READ))).toEqual({
			deliveries: 0,
			waiting: 0,
			oldest: null,
		});
	});

	test("is what lies in the inbox, counted by its numbers", async () => {
		const setting = await backlogOf(3, 1, 5);
		const [owed, seqs] = await inSql(setting, (sql) => [owedIn(sql, NONE_READ), seqsOf(sql)] as const);
		expect(owed).toEqual({ deliveries: 9, waiting: 0, oldest: seqs[0] });
	});

	test("is, of rows that have been read, what is open", async () => {
		const setting = await backlogOf(3, 1, 5);
		const [owed, seqs] = await inSql(setting, (sql) => {
			const [first = 0, second = 0] = seqsOf(sql);
			const open = { deliveries: 2, oldest: first, read: second };
			return [owedIn(sql, open), seqsOf(sql)] as const;
		});
		expect(owed).toEqual({ deliveries: 7, waiting: 0, oldest: seqs[0] });
	});

	test("counts rows that release 0.1 wrote, which have no number", async () => {
		const setting = await backlogOf(3, 2, 5, 1);
		const owed = await inSql(setting, (sql) => {
			const [, second = 0] = seqsOf(sql);
			sql.exec("UPDATE inbox SET number = CASE WHEN seq <= ? THEN NULL ELSE number - 5 END", second);
			return owedIn(sql, NONE_READ);
		});
		expect(owed.deliveries).toBe(11);
	});

	test("counts them where there is no other row", async () => {
		const setting = await backlogOf(3, 2);
		const owed = await inSql(setting, (sql) => {
			sql.exec("UPDATE inbox SET number = NULL");
			return owedIn(sql, NONE_READ);
		});
		expect(owed.deliveries).toBe(5);
	});
});
