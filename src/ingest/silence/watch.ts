/**
 * The watch: the Durable Object that notices when a source with `expect_every_seconds` is silent. Its alarm wakes it as
 * often as events are expected, and it reads the event log; events do not wake it. A source without the field has no
 * watch. I/O only: rules.ts defines silence.
 */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { eventLog } from "../../objects/clients.ts";
import { publishOperational } from "../../operations/announce.ts";
import { buildOperationalEvent } from "../../operations/event.ts";
import { sourceRecovered, sourceSilent } from "../../operations/occurrence.ts";
import { isDeleted } from "../../store/deleted.ts";
import { type Expectation, readExpectation } from "../../store/views/expectations.ts";
import type { WatchRpc } from "./rpc.ts";
import { judgeSilence, NOT_SILENT, silenceSchema } from "./rules.ts";

const SOURCE_ID = "source_id";
const SILENCE = "silence";
/** The retry delay after an error, or after the queue refused an event. */
const AGAIN_MS = 60_000;
/** The check interval while nothing subscribes to operational events. */
const UNHEARD_MS = 300_000;
/** The check interval for a source that is missing but not deleted: restoring the database may bring it back. */
const MISSING_MS = 3_600_000;

export class Watch extends DurableObject<Env> implements WatchRpc {
	async refresh(sourceId: string): Promise<void> {
		// Stored because an alarm handler does not receive the object's name.
		this.ctx.storage.kv.put(SOURCE_ID, sourceId);
		await this.ctx.storage.setAlarm(Date.now());
	}

	/** Never throws: the platform drops an alarm that fails several times in a row. */
	override async alarm(): Promise<void> {
		const sourceId = this.ctx.storage.kv.get<string>(SOURCE_ID);
		if (sourceId === undefined) return;
		let nextAt: number | null;
		try {
			nextAt = await this.#look(sourceId, Date.now());
		} catch (error) {
			log("watch.failed", { source_id: sourceId, error: String(error) });
			nextAt = Date.now() + AGAIN_MS;
		}
		// A change of the source in the meantime has set the alarm and is handled then.
		const asked = await this.ctx.storage.getAlarm();
		if (nextAt !== null && (asked === null || asked > nextAt)) await this.ctx.storage.setAlarm(nextAt);
	}

	/** Returns when to check again, or null if there is nothing to watch until the source changes. */
	async #look(sourceId: string, now: number): Promise<number | null> {
		const expectation = await readExpectation(this.env, sourceId);
		if (expectation === null) {
			return (await isDeleted(this.env, sourceId)) ? this.#forget() : now + MISSING_MS;
		}
		const { expectEverySeconds, isAnnouncing, status } = expectation;
		if (expectEverySeconds === null || status !== "active") return this.#forget();
		const everyMs = expectEverySeconds * 1000;
		if (!isAnnouncing) {
			this.#forget();
			return now + Math.max(everyMs, UNHEARD_MS);
		}
		return this.#listen(sourceId, { ...expectation, expectEverySeconds }, now);
	}

	async #listen(
		id: string,
		{ name, expectEverySeconds, changedAt }: Expectation & { expectEverySeconds: number },
		now: number,
	): Promise<number> {
		const before = this.#silence();
		const lastAt = await eventLog(this.env, id).newestAt();
		const everyMs = expectEverySeconds * 1000;
		const { silence, tell, nextAt } = judgeSilence(before, { lastAt, changedAt, everyMs, now });
		if (tell !== null) {
			const source = { id, name };
			const occurrence =
				tell === "silent"
					? sourceSilent(source, expectEverySeconds, lastAt)
					: sourceRecovered(source, before.since ?? now);
			const isTold = await publishOperational(this.env, buildOperationalEvent(occurrence, 0, now));
			if (!isTold) return now + AGAIN_MS;
		}
		if (silence !== before) this.ctx.storage.kv.put(SILENCE, silence);
		return nextAt;
	}

	#silence() {
		const kept = silenceSchema.safeParse(this.ctx.storage.kv.get(SILENCE));
		return kept.success ? kept.data : NOT_SILENT;
	}

	#forget(): null {
		if (this.ctx.storage.kv.get(SILENCE) !== undefined) this.ctx.storage.kv.delete(SILENCE);
		return null;
	}
}
