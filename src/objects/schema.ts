/**
 * Schema migrations of Durable Objects: additive steps that an object runs when it wakes. The storage counts the steps
 * already run. Each object class keeps its list of steps next to its tables.
 */
const VERSION_KEY = "schema_version";

/**
 * Step n brings storage from version n to n + 1. A released step never changes. Later changes are new steps, and
 * the code of the previous version must work with them, because a deploy can be rolled back.
 */
export type SchemaSteps = readonly string[];

/**
 * Runs all steps that this storage lacks, atomically. Storage of release 0.1 has tables but no version, so the first
 * step must tolerate existing tables. Storage migrated by a newer release stays unchanged.
 */
export function migrate(storage: DurableObjectStorage, steps: SchemaSteps): void {
	const version = storage.kv.get<number>(VERSION_KEY) ?? 0;
	if (version >= steps.length) return;
	storage.transactionSync(() => {
		for (const step of steps.slice(version)) storage.sql.exec(step);
		storage.kv.put(VERSION_KEY, steps.length);
	});
}
