/**
 * The schema of a Durable Object, and how the object brings its own storage up to it when it wakes: additive steps,
 * counted in the storage. Each object class has its list of steps beside its tables.
 */
const VERSION_KEY = "schema_version";

/**
 * Step n brings storage from version n to n + 1. A step that has been released never changes: a change is a further
 * step, and one that the code of the version before survives, because a deploy can be rolled back.
 */
export type SchemaSteps = readonly string[];

/**
 * Runs the steps that this storage has not seen, all or none. Storage of release 0.1 has tables and no version, so the
 * first step is written to find them there. Storage that a newer release has brought further stays as it is.
 */
export function migrate(storage: DurableObjectStorage, steps: SchemaSteps): void {
	const version = storage.kv.get<number>(VERSION_KEY) ?? 0;
	if (version >= steps.length) return;
	storage.transactionSync(() => {
		for (const step of steps.slice(version)) storage.sql.exec(step);
		storage.kv.put(VERSION_KEY, steps.length);
	});
}
