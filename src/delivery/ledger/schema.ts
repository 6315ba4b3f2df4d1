/**
 * The tables of a dispatcher: untried deliveries (inbox/), tried ones (table/), and those
 * that did not fit (refused/).
 */
import type { SchemaSteps } from "../../objects/schema.ts";

export const DISPATCHER_SCHEMA: SchemaSteps = [
	`CREATE TABLE IF NOT EXISTS inbox (
		seq INTEGER PRIMARY KEY, decisions TEXT NOT NULL, segment TEXT NOT NULL);
	CREATE TABLE IF NOT EXISTS deliveries (
		seq INTEGER PRIMARY KEY, id TEXT NOT NULL, event_id TEXT NOT NULL,
		subscription_id TEXT NOT NULL, subscription_name TEXT NOT NULL, endpoint_ref TEXT NOT NULL,
		status TEXT NOT NULL, reason TEXT, detail TEXT, spent INTEGER NOT NULL,
		busy_count INTEGER NOT NULL, busy_since INTEGER, due_at INTEGER, finished_at INTEGER,
		attempts TEXT NOT NULL, event TEXT,
		result_kind TEXT, result_type TEXT, result TEXT, result_event TEXT, result_event_id TEXT);
	CREATE UNIQUE INDEX IF NOT EXISTS deliveries_id ON deliveries (id);
	CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (due_at) WHERE status = 'pending';
	CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (due_at) WHERE status = 'waiting';
	CREATE INDEX IF NOT EXISTS deliveries_dead ON deliveries (seq) WHERE status = 'dead';
	CREATE TABLE IF NOT EXISTS large_texts (
		seq INTEGER, name TEXT, text TEXT NOT NULL, PRIMARY KEY (seq, name)) WITHOUT ROWID`,
	// Rows of the inbox that a newer release wrote before it was rolled back.
	`CREATE TABLE IF NOT EXISTS unreadable_inbox (
		seq INTEGER PRIMARY KEY, decisions TEXT NOT NULL, segment TEXT NOT NULL)`,
	`ALTER TABLE deliveries ADD COLUMN result_omitted TEXT`,
	// How many requests may result from the delivery; null: the whole budget.
	`ALTER TABLE deliveries ADD COLUMN budget INTEGER`,
	// Deliveries that did not fit. In the inbox, how many came before: see inbox/owed-count.ts.
	`CREATE TABLE IF NOT EXISTS refused (seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, decisions TEXT NOT NULL);
	ALTER TABLE inbox ADD COLUMN number INTEGER`,
	// Jobs that a server has accepted; JSON.
	`ALTER TABLE deliveries ADD COLUMN job TEXT;
	CREATE INDEX IF NOT EXISTS deliveries_accepted ON deliveries (due_at) WHERE status = 'accepted'`,
	// Search columns, still filled when the event is dropped. Empty: the event has none; null: an
	// older row.
	`ALTER TABLE deliveries ADD COLUMN subject TEXT;
	ALTER TABLE deliveries ADD COLUMN correlation_id TEXT`,
];
