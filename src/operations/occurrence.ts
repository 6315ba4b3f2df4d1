/**
 * Occurrences, which operational events report: something happened to an endpoint, a source, a delivery or a key. One
 * function per type. `data` contains ids, names, reasons and counts, never a secret. Pure.
 */

export const OPERATIONAL_TYPES = [
	"sluice.endpoint.paused",
	"sluice.endpoint.disabled",
	"sluice.endpoint.recovered",
	"sluice.endpoint.backlog_high",
	"sluice.endpoint.backlog_full",
	"sluice.delivery.dead",
	"sluice.source.verification_failing",
	"sluice.source.silent",
	"sluice.source.recovered",
	"sluice.key.created",
	"sluice.key.deleted",
] as const;
export type OperationalType = (typeof OPERATIONAL_TYPES)[number];

export interface Occurrence {
	type: OperationalType;
	/** Identifies the resource. Contains ids, because names can be reused. */
	key: string;
	/** The resource's name; for an endpoint with its version. */
	subject: string;
	data: Readonly<Record<string, string | number | null>>;
}

/** The fields of an endpoint that its events contain. */
export interface NamedEndpoint {
	id: string;
	name: string;
	version: string;
}

interface Named {
	id: string;
	name: string;
}

export function endpointStopped(
	endpoint: NamedEndpoint,
	status: "paused" | "disabled",
	reason: string | null,
): Occurrence {
	return ofEndpoint(`sluice.endpoint.${status}`, endpoint, { reason });
}

/** `was`: the previous status and its reason. */
export function endpointRecovered(
	endpoint: NamedEndpoint,
	was: { status: string; reason: string | null },
): Occurrence {
	return ofEndpoint("sluice.endpoint.recovered", endpoint, { was: was.status, reason: was.reason });
}

export function backlogHigh(endpoint: NamedEndpoint, backlog: number, limit: number): Occurrence {
	return ofEndpoint("sluice.endpoint.backlog_high", endpoint, { backlog, limit });
}

/** `refused`: how many deliveries were just refused for lack of room. */
export function backlogFull(
	endpoint: NamedEndpoint,
	refused: number,
	backlog: number,
	limit: number,
): Occurrence {
	return ofEndpoint("sluice.endpoint.backlog_full", endpoint, { refused, backlog, limit });
}

export interface DeadDelivery {
	id: string;
	eventId: string;
	subscriptionId: string;
	subscriptionName: string;
	reason: string;
}

/** One event per endpoint, reason and window. It names the first delivery. */
export function deliveryDead(endpoint: NamedEndpoint, dead: DeadDelivery): Occurrence {
	const { id, eventId, subscriptionId, subscriptionName, reason } = dead;
	const occurrence = ofEndpoint("sluice.delivery.dead", endpoint, {
		reason,
		delivery_id: id,
		event_id: eventId,
		subscription: subscriptionName,
		subscription_id: subscriptionId,
	});
	return { ...occurrence, key: `${occurrence.key}:${reason}` };
}

/** `refusals`: how many requests this isolate has refused in the window so far. */
export function verificationFailing(source: Named, refusals: number): Occurrence {
	return ofSource("sluice.source.verification_failing", source, { refusals });
}

/** `lastEventAt` in ms. null: no event was received, or none is retained. */
export function sourceSilent(
	source: Named,
	expectEverySeconds: number,
	lastEventAt: number | null,
): Occurrence {
	return ofSource("sluice.source.silent", source, {
		expect_every_seconds: expectEverySeconds,
		last_event_at: lastEventAt === null ? null : new Date(lastEventAt).toISOString(),
	});
}

/** `silentSince`: when its silence was reported, ms. */
export function sourceRecovered(source: Named, silentSince: number): Occurrence {
	return ofSource("sluice.source.recovered", source, {
		reason: "silent",
		silent_since: new Date(silentSince).toISOString(),
	});
}

export function keyChanged(
	change: "created" | "deleted",
	key: Named & { role: string | null },
	actor: Named,
): Occurrence {
	return {
		type: `sluice.key.${change}`,
		key: key.id,
		subject: key.name,
		data: { key_id: key.id, key: key.name, role: key.role, actor_id: actor.id, actor: actor.name },
	};
}

function ofEndpoint(
	type: OperationalType,
	{ id, name, version }: NamedEndpoint,
	data: Occurrence["data"],
): Occurrence {
	const subject = `${name}@${version}`;
	return { type, key: id, subject, data: { endpoint_id: id, endpoint: subject, ...data } };
}

function ofSource(type: OperationalType, { id, name }: Named, data: Occurrence["data"]): Occurrence {
	return { type, key: id, subject: name, data: { source_id: id, source: name, ...data } };
}
