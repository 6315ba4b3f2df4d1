/** The interface between JSONata and the functions of expressions. Types only. */
import type { Meter } from "./meter.ts";

/** What a function gets as `this`. */
export interface Focus {
	environment: Environment;
	input: unknown;
	createSequence: (...first: unknown[]) => unknown[];
}

export interface Environment {
	/** The frame of the evaluation: what all of its frames have in common. */
	base: Environment & {
		meter?: Meter;
		createSequence: (...first: unknown[]) => unknown[];
		RegexEngine: unknown;
	};
	timestamp: Date;
	lookup(name: string): unknown;
}

export type Native = (this: Focus, ...args: never[]) => unknown;

/** A function of JSONata, as it keeps it. */
export interface Definition {
	_jsonata_function: true;
	implementation: Native;
	signature?: unknown;
}

export interface Call {
	/** As JSONata has checked them against the function's signature. Missing ones are undefined. */
	args: readonly unknown[];
	focus: Focus;
	meter: Meter;
	/** JSONata's own function, on these arguments or on others. */
	native: (...args: unknown[]) => unknown;
	/** Another function of JSONata, by its name. */
	other: (name: string, ...args: unknown[]) => unknown;
}

export type BoundedFunction = (call: Call) => unknown;
