/** The state of a source that the router pulls from, as the API shows it. */
import type { Env } from "../../env.ts";
import { puller } from "../../objects/clients.ts";
import { kindOf } from "../../sources/registry.ts";
import { log } from "../../log.ts";
import type { Source } from "../../store/records.ts";
import { formatTime } from "../fields/times.ts";

/** The member `pull` of the source; nothing for sources that are not pulled. */
export async function pullToWire(env: Env, source: Source): Promise<Record<string, unknown>> {
	if (kindOf(source)?.transport !== "pull") return {};
	try {
		const { status, lastError, lastMessageAt } = await puller(env, source.id).status(source.id);
		const last_message_at = lastMessageAt === null ? null : formatTime(lastMessageAt);
		return { pull: { status, last_error: lastError, last_message_at } };
	} catch (error) {
		log("puller.unreachable", { source: source.name, source_id: source.id, error: String(error) });
		return { pull: null };
	}
}
