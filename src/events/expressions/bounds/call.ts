/** The interface between JSONata and the functions of expressions. Types only. */
import type { Meter } from "./meter.ts";

/** What a function receives as `this`. */
export interface Focus {
	environment: Environment;
	input: unknown;
	createSequence: (...first: unknown[]) => unknown[];
}

export interface Environment {
	/** The frame of the evaluation, which all of its frames share. */
	base: Environment & {
		meter?: Meter;
		createSequence: (...first: unknown[]) => unknown[];
		RegexEngine: unknown;
	};
	timestamp: Date;
	lookup(name: string): unknown;
}

export type Native = (this: Focus, ...args: never[]) => unknown;

/** A function in the form in which JSONata keeps it. */
export interface Definition {
	_jsonata_function: true;
	implementation: Native;
	signature?: unknown;
}

export interface Call {
	/** Already checked against the function's signature. Missing arguments are undefined. */
	args: readonly unknown[];
	focus: Focus;
	meter: Meter;
	/** JSONata's own function; it can be called with other arguments. */
	native: (...args: unknown[]) => unknown;
	/** Another of JSONata's functions, by name. */
	other: (name: string, ...args: unknown[]) => unknown;
}

export type BoundedFunction = (call: Call) => unknown;
