/**
 * The functions that expressions can call: JSONata's own, charged for what they read and create, and replacements for
 * those that do their expensive work inside. They are created once and shared by all expressions.
 */
import jsonata from "jsonata";
import type { BoundedFunction, Call, Definition, Environment, Focus } from "../bounds/call.ts";
import { listFunctions } from "./list-functions.ts";
import type { Meter } from "../bounds/meter.ts";
import { modelFunctions } from "./model-functions.ts";
import { pictureFunctions } from "./picture-functions.ts";
import { textFunctions } from "./text-functions.ts";

/** The cost of every call. */
const CALL_WORK = 20;

/** Functions with a fixed cost, independent of their arguments. */
const CONSTANT = [
	"abs",
	"assert",
	"ceil",
	"error",
	"exists",
	"floor",
	"power",
	"random",
	"round",
	"sqrt",
	"type",
] as const;

const functions: Record<string, BoundedFunction> = {
	...Object.fromEntries(CONSTANT.map((name) => [name, ({ native, args }: Call) => native(...args)])),
	...listFunctions,
	...textFunctions,
	...pictureFunctions,
	...modelFunctions,
	eval: () => {
		throw new Error("$eval is not available");
	},
};

// The library looks up hooks by symbols, which its types do not allow as names.
export const ENTRY_HOOK = Symbol.for("jsonata.__evaluate_entry") as unknown as string;
export const EXIT_HOOK = Symbol.for("jsonata.__evaluate_exit") as unknown as string;

/** The functions by name, for `assign`. */
export const definitions: ReadonlyMap<string, Definition> = defineAll();

function defineAll(): Map<string, Definition> {
	const environment = staticEnvironment();
	const ownOf = (name: string) => environment.lookup(name) as Definition | undefined;
	return new Map(Object.entries(functions).map(([name, run]) => [name, define(name, run, ownOf)]));
}

/** JSONata passes its environment only to its hooks. The first hook runs before `evaluate` returns. */
function staticEnvironment(): Environment {
	const program = jsonata("null");
	const found: Environment[] = [];
	program.assign(ENTRY_HOOK, (_node: unknown, _input: unknown, environment: Environment) => {
		found.push(environment);
	});
	void program.evaluate(null);
	const [environment] = found;
	if (environment === undefined) throw new Error("JSONata has not called its hook");
	return environment;
}

function define(
	name: string,
	run: BoundedFunction,
	ownOf: (name: string) => Definition | undefined,
): Definition {
	const implementation = function (this: Focus, ...args: unknown[]): unknown {
		const { meter } = this.environment.base;
		if (meter === undefined) throw new Error("the function is called outside of an evaluation");
		meter.spend(CALL_WORK);
		const call = (of: string, others: unknown[]): unknown =>
			ownOf(of)?.implementation.apply(this, others as never[]);
		const result = run({
			args,
			focus: this,
			meter,
			native: (...others) => call(name, others),
			other: (of, ...others) => call(of, others),
		});
		return result instanceof Promise
			? result.then((value: unknown) => capped(value, meter))
			: capped(result, meter);
	};
	const own = ownOf(name);
	if (own === undefined) return unchangeable({ _jsonata_function: true, implementation });
	// JSONata reads the number and names of the function's parameters from here.
	Object.defineProperty(implementation, "length", { value: own.implementation.length });
	Object.defineProperty(implementation, "toString", { value: () => own.implementation.toString() });
	return unchangeable({ _jsonata_function: true, implementation, signature: own.signature });
}

/** All expressions share it. JSONata records on it how a function was called; the record is discarded. */
function unchangeable(definition: Definition): Definition {
	const nowhere = { get: () => undefined, set: () => undefined };
	return Object.freeze(Object.defineProperties(definition, { token: nowhere, position: nowhere }));
}

/** Most results are no longer than their arguments. A text above the limit is refused before anything else sees it. */
function capped(value: unknown, meter: Meter): unknown {
	if (typeof value === "string") meter.checkText(value.length);
	return value;
}
