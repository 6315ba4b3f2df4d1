/** A source as its owner has declared it: the fields of the API, without its secret. */
import { hasSecret } from "../../store/resources/source-auth.ts";
import type { Source } from "../../store/records.ts";
import { named } from "../http/writes.ts";
import { normalised } from "./draft.ts";

/** Unreadable values are absent. */
export function declaredSource(source: Source): Record<string, unknown> {
	const { auth, settings } = normalised(source);
	return named({
		name: source.name,
		kind: source.kind,
		description: source.description,
		auth: auth ?? undefined,
		// Most kinds accept none of these.
		event_type: source.eventType ?? undefined,
		subject: source.subject ?? undefined,
		dedupe_key: source.dedupeKey ?? undefined,
		expect_every_seconds: source.expectEverySeconds ?? undefined,
		test: source.isTest || undefined,
		settings: settings ?? undefined,
	});
}

export function needsSecret({ auth }: Source): boolean {
	return auth !== null && hasSecret(auth.type);
}
