/** A kind with the settings of a source, as the router binds them for each request. */
import type { BoundKind, KindRequest, Parsed, Sample, Setup } from "../../src/sources/kind.ts";
import { kindOf } from "../../src/sources/registry.ts";
import type { Source } from "../../src/store/records.ts";
import { makeSource } from "./make-source.ts";
import { settingsOf } from "./kind-settings.ts";

/** Throws when there is no such kind, or it cannot read the source's settings. */
export function bindAs(kind: string, source: Source): BoundKind {
	const bound = kindOf({ kind })?.bind(source);
	if (bound?.ok !== true) throw new Error(`${kind}: ${bound?.message ?? "no such kind"}`);
	return bound;
}

export function setupAs(kind: string, { source, ...target }: Target): Setup {
	return bindAs(kind, source).setup(target);
}

interface Target {
	source: Source;
	url: string;
	secret: string;
}

export function parseWith(
	kind: string,
	{ source, ...request }: KindRequest & { source: Source },
): Promise<Parsed> {
	return bindAs(kind, source).parse(request);
}

/** For a source with `settings`, or with those that the kind cannot do without. */
export function sampleOf(kind: string, now: number, settings = settingsOf(kind)): Sample {
	return bindAs(kind, makeSource({ kind, settings })).sample(now);
}
