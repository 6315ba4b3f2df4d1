/** `$distinct` without comparing every pair of values. */
import { entriesOf, isContainer, MAX_ARRAY, type Meter } from "../bounds/meter.ts";

/** Equality as in `=`: the order of an object's members does not matter. */
export function distinct(list: readonly unknown[], into: unknown[], meter: Meter): unknown[] {
	const seen = new Set<unknown>();
	for (const item of list) {
		meter.spend(10);
		const key = isContainer(item) || JSON.isRawJSON(item) ? canonical(item, meter) : keyOf(item);
		if (seen.has(key)) continue;
		if (into.length >= MAX_ARRAY) meter.makeArray(into.length + 1);
		seen.add(key);
		into.push(item);
	}
	return into;
}

/** Strings get a prefix, so that none equals the canonical form of another value. */
function keyOf(scalar: unknown): unknown {
	return typeof scalar === "string" ? `"${scalar}` : scalar;
}

function canonical(value: unknown, meter: Meter): string {
	meter.spend(20);
	if (typeof value === "string") meter.spend(value.length / 16);
	if (JSON.isRawJSON(value)) return JSON.stringify(value);
	if (!isContainer(value)) return JSON.stringify(value) ?? "";
	if (Array.isArray(value)) return `[${value.map((inner) => canonical(inner, meter)).join()}]`;
	const members = entriesOf(value, meter).map(
		([name, inner]) => `${JSON.stringify(name)}:${canonical(inner, meter)}`,
	);
	return `{${members.sort().join()}}`;
}
