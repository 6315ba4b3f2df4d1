/**
 * What an event costs by Cloudflare's price list for Workers Paid of November 2026, included amounts not taken off:
 * from units for each event to dollars a million events. Pure; how many units there are is counted elsewhere.
 */
import { STEPS } from "./limits.ts";

/** Dollars a million units, unless it says otherwise. */
export const PRICES = {
	workerRequest: 0.3,
	cpuMs: 0.02,
	/** Write, read or delete of 64 KB of one message. */
	queueOperation: 0.4,
	objectCall: 0.15,
	/** 128 MB for a second, at $12.50 a million GB-s. */
	objectSecond: 12.5 * 0.128,
	rowWritten: 1,
	kvRead: 0.5,
	kvWrite: 5,
	/** Dollars for a GB in an object for a month. */
	objectGbMonth: 0.2,
	/** Dollars for a GB of log lines. */
	logGb: 0.25,
} as const;

/** For one event, on average. */
export interface Units {
	/** Queue messages; below 1 where requests bring several events. None is above 64 KB. */
	messages: number;
	/** Invocations of the router. */
	batches: number;
	logCalls: number;
	dispatcherCalls: number;
	/** Calls between dispatchers and hands. */
	handCalls: number;
	deliveries: number;
	/** Attempts above one, for each delivery, each after a first attempt that failed. */
	extraAttempts: number;
	/** s that objects are kept in memory by something they wait for. */
	objectSeconds: number;
	/** Alarms that are set; a row each. */
	alarms: number;
	kvReads: number;
	kvWrites: number;
	/** Bytes that the log keeps. */
	logBytes: number;
}

/** Dollars for a million events. */
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
/** Queue operations of a message that is written, read once and deleted. */
const OPERATIONS = 3;
/** Bytes of log lines for an attempt and for a batch (assumed). */
const ATTEMPT_LINE = 400;
const BATCH_LINE = 500;

/** Rows written for an event: docs/internals.md, "What it costs", counted in workerd by test/delivery/cost.test.ts. */
export function rowsOf(units: Units): number {
	const inbox = 2 * units.dispatcherCalls;
	// Two where it succeeds at once; a first attempt that fails is three, and the one after it two.
	const deliveries = units.deliveries * (2 + 3 * units.extraAttempts);
	return units.logCalls + inbox + deliveries + units.alarms;
}

/** Calls of Durable Objects for an event; an alarm that goes off is one. */
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

/** GB of a million events of so many bytes. */
function gigabytes(bytes: number): number {
	return bytes / 1_000;
}
