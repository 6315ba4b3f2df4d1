/** A dead letter on the wire. */
import type * as z from "zod";
import type { DeadLetter, MessageBody } from "../../dead-letters/rpc.ts";
import type { Env } from "../../env.ts";
import { readNamesOfSources } from "../fields/source-refs.ts";
import { formatTime } from "../fields/times.ts";
import type { deadLetterSchema, wholeDeadLetterSchema } from "./fields.ts";

type Wire = z.output<typeof deadLetterSchema>;

/** With the current names of their sources. */
export async function deadLettersToWire(env: Env, letters: readonly DeadLetter[]): Promise<Wire[]> {
	const ids = letters.flatMap(({ diagnosis }) => diagnosis.sourceId ?? []);
	const names = await readNamesOfSources(env, [...new Set(ids)]);
	return letters.map(({ id, diagnosis, queuedAt, receivedAt }) => ({
		id,
		source: diagnosis.sourceId === null ? null : (names.get(diagnosis.sourceId) ?? null),
		source_id: diagnosis.sourceId,
		event_ids: diagnosis.eventIds,
		event_count: diagnosis.eventCount,
		error: { code: diagnosis.code, message: diagnosis.message },
		queued_at: formatTime(queuedAt),
		received_at: formatTime(receivedAt),
	}));
}

export async function wholeLetterToWire(
	env: Env,
	letter: DeadLetter & { body: MessageBody },
): Promise<z.output<typeof wholeDeadLetterSchema>> {
	const [wire] = await deadLettersToWire(env, [letter]);
	if (wire === undefined) throw new Error("one letter makes one on the wire");
	return { ...wire, body_type: letter.body.kind, body: letter.body.text };
}
