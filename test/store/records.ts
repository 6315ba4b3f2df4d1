/** Complete records to vary in tests. */
import { newId } from "../../src/events/ids.ts";
import { DEFAULT_COMPLETION } from "../../src/store/resources/endpoint-columns.ts";
import type { ReadableEndpoint, ReadableSource, Subscription } from "../../src/store/records.ts";

let age = 0;

/** Each record is a millisecond younger than the one before. */
function nextTime(): number {
	return 1_700_000_000_000 + age++;
}

export function aSource(fields: Partial<ReadableSource> = {}): ReadableSource {
	const createdAt = nextTime();
	return {
		id: newId("src"),
		name: `source-${age}`,
		kind: "generic",
		description: null,
		auth: { type: "bearer" },
		eventType: null,
		subject: null,
		dedupeKey: null,
		expectEverySeconds: null,
		isTest: false,
		settings: {},
		secrets: [{ value: "source-secret", createdAt, expiresAt: null }],
		status: "active",
		revision: 1,
		quarantine: null,
		createdAt,
		updatedAt: createdAt,
		...fields,
	};
}

export function anEndpoint(fields: Partial<ReadableEndpoint> = {}): ReadableEndpoint {
	const createdAt = nextTime();
	return {
		id: newId("ep"),
		name: `model-${age}`,
		version: "1",
		url: "https://models.example.com/",
		protocol: "http",
		model: null,
		auth: { type: "bearer", token: "endpoint-token" },
		headers: { "x-api-key": "header-secret" },
		timeoutSeconds: 30,
		maxConcurrency: 6,
		retry: {
			scheduleSeconds: [5],
			busyMaxWaitSeconds: 60,
			coldStartSeconds: 0,
			statuses: [],
			busyStatuses: [],
		},
		completion: DEFAULT_COMPLETION,
		signingSecrets: [{ value: "whsec_signing-secret", createdAt, expiresAt: null }],
		status: "active",
		statusReason: null,
		revision: 1,
		createdAt,
		updatedAt: createdAt,
		...fields,
	};
}

export function aSubscription(fields: Partial<Subscription> & Pick<Subscription, "target">): Subscription {
	const createdAt = nextTime();
	return {
		id: newId("sub"),
		name: `subscription-${age}`,
		sourceId: null,
		types: [],
		filters: [],
		transform: null,
		result: null,
		status: "active",
		revision: 1,
		quarantine: null,
		createdAt,
		updatedAt: createdAt,
		...fields,
	};
}
