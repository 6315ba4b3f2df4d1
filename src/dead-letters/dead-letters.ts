/**
 * The store of messages that could not be routed. It is a single Durable Object, because such messages are few and
 * because D1 itself may be what failed. It keeps the newest 10,000 of the last 30 days.
 */
import { DurableObject } from "cloudflare:workers";
import { createHash } from "node:crypto";
import * as z from "zod";
import type { Env } from "../env.ts";
import { nextPosition, positionOfTime, type Slice, timeOfPosition } from "../events/position.ts";
import { log } from "../log.ts";
import { migrate, type SchemaSteps } from "../objects/schema.ts";
import { DEAD_LETTER_CODES, type Diagnosis } from "./diagnosis.ts";
import type { DeadLetter, DeadLettersRpc, MessageBody, NewDeadLetter } from "./rpc.ts";

/** At up to 128 KB each: 1.3 GB. */
export const MAX_LETTERS = 10_000;
export const KEPT_MS = 30 * 86_400_000;
const SWEEP_EVERY_MS = 86_400_000;
const ID_LENGTH = 22;

const SCHEMA: SchemaSteps = [
	`CREATE TABLE IF NOT EXISTS letters (
		seq INTEGER PRIMARY KEY, id TEXT NOT NULL, queued_at INTEGER NOT NULL, diagnosis TEXT NOT NULL,
		body_kind TEXT NOT NULL, body TEXT NOT NULL);
	CREATE UNIQUE INDEX IF NOT EXISTS letters_id ON letters (id)`,
];

type Row = { seq: number; id: string; queued_at: number; diagnosis: string };

const storedDiagnosis: z.ZodType<Diagnosis> = z.object({
	code: z.enum(DEAD_LETTER_CODES),
	message: z.string(),
	sourceId: z.string().nullable(),
	eventIds: z.array(z.string()),
	eventCount: z.number().nullable(),
});

export class DeadLetters extends DurableObject<Env> implements DeadLettersRpc {
	readonly #sql = this.ctx.storage.sql;

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		migrate(ctx.storage, SCHEMA);
	}

	async keep(letters: NewDeadLetter[]): Promise<void> {
		const now = Date.now();
		this.ctx.storage.transactionSync(() => {
			for (const letter of letters) this.#put(letter, now);
			this.#sweep(now);
		});
		if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(now + SWEEP_EVERY_MS);
	}

	list({ before = Number.MAX_SAFE_INTEGER, limit }: { before?: number; limit: number }): Slice<DeadLetter> {
		const items = this.#sql
			.exec<Row>(
				"SELECT seq, id, queued_at, diagnosis FROM letters WHERE seq < ? ORDER BY seq DESC LIMIT ?",
				before,
				limit,
			)
			.toArray()
			.map(fromRow);
		return { items, rest: null };
	}

	get(id: string): (DeadLetter & { body: MessageBody }) | null {
		const row = this.#sql
			.exec<Row & { body_kind: MessageBody["kind"]; body: string }>("SELECT * FROM letters WHERE id = ?", id)
			.toArray()[0];
		return row === undefined ? null : { ...fromRow(row), body: { kind: row.body_kind, text: row.body } };
	}

	remove(id: string): boolean {
		return this.#sql.exec("DELETE FROM letters WHERE id = ? RETURNING id", id).toArray().length > 0;
	}

	override async alarm(): Promise<void> {
		this.#sweep(Date.now());
		const isEmpty = this.#sql.exec("SELECT 1 FROM letters LIMIT 1").toArray().length === 0;
		if (!isEmpty) await this.ctx.storage.setAlarm(Date.now() + SWEEP_EVERY_MS);
	}

	#put({ messageId, queuedAt, body, diagnosis }: NewDeadLetter, now: number): void {
		const { last } = this.#sql
			.exec<{ last: number }>("SELECT coalesce(max(seq), 0) AS last FROM letters")
			.one();
		this.#sql.exec(
			`INSERT INTO letters (seq, id, queued_at, diagnosis, body_kind, body) VALUES (?, ?, ?, ?, ?, ?)
			 ON CONFLICT (id) DO NOTHING`,
			nextPosition(last, now),
			idOf(messageId),
			queuedAt,
			JSON.stringify(diagnosis satisfies z.infer<typeof storedDiagnosis>),
			body.kind,
			body.text,
		);
	}

	/** `now` in ms. */
	#sweep(now: number): void {
		const { rowsWritten } = this.#sql.exec(
			`DELETE FROM letters WHERE seq < ?
			 OR seq <= (SELECT seq FROM letters ORDER BY seq DESC LIMIT 1 OFFSET ${MAX_LETTERS})`,
			positionOfTime(now - KEPT_MS),
		);
		if (rowsWritten > 0) log("dead_letter.forgotten", { rows: rowsWritten });
	}
}

/** Derives the id from the message, so that a message received twice is stored once. */
function idOf(messageId: string): string {
	return `dead_${createHash("sha256").update(messageId).digest("hex").slice(0, ID_LENGTH)}`;
}

function fromRow({ seq, id, queued_at: queuedAt, diagnosis }: Row): DeadLetter {
	return {
		position: seq,
		id,
		queuedAt,
		receivedAt: timeOfPosition(seq),
		diagnosis: storedDiagnosis.safeParse(JSON.parse(diagnosis)).data ?? UNKNOWN,
	};
}

/** The diagnosis of a message that a newer release stored. */
const UNKNOWN: Diagnosis = {
	code: "routing_failed",
	message: "A newer release of Sluice stored this message. Its diagnosis cannot be read.",
	sourceId: null,
	eventIds: [],
	eventCount: null,
};
