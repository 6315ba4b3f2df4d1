/**
 * What an event costs by Cloudflare's price list for Workers Paid of November 2026, without the included amounts:
 * converts units per event to dollars per million events. Pure. The units are counted elsewhere.
 */
import { STEPS } from "./limits.ts";

/** Dollars per million units, unless stated otherwise. */
export const PRICES = {
	workerRequest: 0.3,
	cpuMs: 0.02,
	/** Writing, reading or deleting 64 KB of one message. */
	queueOperation: 0.4,
	objectCall: 0.15,
	/** 128 MB for one second, at $12.50 per million GB-s. */
	objectSecond: 12.5 * 0.128,
	rowWritten: 1,
	kvRead: 0.5,
	kvWrite: 5,
	/** Dollars per GB stored in an object per month. */
	objectGbMonth: 0.2,
	/** Dollars per GB of log lines. */
	logGb: 0.25,
} as const;

/** Averages for one event. */
export interface Units {
	/** Queue messages. Below 1 if requests contain several events. No message exceeds 64 KB. */
	messages: number;
	/** Invocations of the router. */
	batches: number;
	logCalls: number;
	dispatcherCalls: number;
	/** Calls between dispatchers and hands. */
	handCalls: number;
	deliveries: number;
	/** Additional attempts per delivery, each after a failed first attempt. */
	extraAttempts: number;
	/** s that objects are kept in memory because they wait for something. */
	objectSeconds: number;
	/** Alarms that are set. Each is one row. */
	alarms: number;
	kvReads: number;
	kvWrites: number;
	/** Bytes that the log stores. */
	logBytes: number;
}

/** Dollars per million events. */
export interface Bill {
	requests: number;
	queue: number;
	calls: number;
	duration: number;
	rows: number;
	/** KV, CPU, storage, log lines. */
	rest: number;
	total: number;
}

const MONTH_SECONDS = 30 * 86_400;
/** Queue operations per message: written, read once and deleted. */
const OPERATIONS = 3;
/** Bytes of log lines per attempt and per batch (assumed). */
const ATTEMPT_LINE = 400;
const BATCH_LINE = 500;

/** Rows written per event: docs/internals.md, "What it costs", counted in workerd by test/delivery/cost.test.ts. */
export function rowsOf(units: Units): number {
	const inbox = 2 * units.dispatcherCalls;
	// Two if it succeeds at once. A first attempt that fails writes three rows, and the one after it two.
	const deliveries = units.deliveries * (2 + 3 * units.extraAttempts);
	return units.logCalls + inbox + deliveries + units.alarms;
}

/** Durable Object calls per event. A triggered alarm counts as one. */
export function callsOf(units: Units): number {
	return units.logCalls + units.dispatcherCalls + units.handCalls + units.alarms;
}

export function billFor(units: Units): Bill {
	const attempts = units.deliveries * (1 + units.extraAttempts);
	const stored =
		units.logBytes * (STEPS.logSeconds / MONTH_SECONDS) +
		units.deliveries * STEPS.deliveryBytes * (STEPS.deliverySeconds / MONTH_SECONDS);
	const lines = attempts * ATTEMPT_LINE + units.batches * BATCH_LINE;
	const parts = {
		requests: PRICES.workerRequest * (units.messages + units.batches),
		queue: PRICES.queueOperation * OPERATIONS * units.messages,
		calls: PRICES.objectCall * callsOf(units),
		duration: PRICES.objectSecond * units.objectSeconds,
		rows: PRICES.rowWritten * rowsOf(units),
		rest:
			PRICES.cpuMs * STEPS.cpuMs +
			PRICES.kvRead * units.kvReads +
			PRICES.kvWrite * units.kvWrites +
			PRICES.objectGbMonth * gigabytes(stored) +
			PRICES.logGb * gigabytes(lines),
	};
	return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

/** GB for a million events of this size. */
function gigabytes(bytes: number): number {
	return bytes / 1_000;
}
