/** Whether an event that a card of docs/sources.md shows is the one that the router makes of the kind's sample. */
import { isDeepStrictEqual } from "node:util";
import type { Api } from "../support/api.ts";
import { until } from "../support/until.ts";

type Json = Record<string, unknown>;

/** Times, UUIDs and ids of MongoDB, which differ from one sample to the next. */
const VARIES =
	/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24}/g;

/** Sends the sample of the source and compares; null where all that is shown is there. */
export async function sampleDiffers(api: Api, source: string, shown: string): Promise<string | null> {
	await api.must("POST", `/v1/sources/${source}/test`, { deliver: false });
	const [event] = await until("the sample to be logged", async () => {
		const { data } = await api.must<{ data: { id: string }[] }>("GET", `/v1/events?source=${source}`);
		return data.length > 0 ? data : null;
	});
	const made = await api.must<{ cloudevent: Json; data: unknown }>("GET", `/v1/events/${event?.id}`);
	return differenceOf(JSON.parse(shown), { ...made.cloudevent, data: made.data }, "");
}

function differenceOf(shown: unknown, made: unknown, path: string): string | null {
	if (typeof shown === "object" && shown !== null && !Array.isArray(shown)) {
		if (typeof made !== "object" || made === null) return `${path} is ${JSON.stringify(made)}`;
		const differences = Object.entries(shown).map(([name, value]) =>
			differenceOf(value, (made as Json)[name], `${path}/${name}`),
		);
		return differences.find((difference) => difference !== null) ?? null;
	}
	const isSame = isDeepStrictEqual(steady(shown, path), steady(made, path));
	return isSame ? null : `${path} is ${JSON.stringify(made)}`;
}

/** Of the event's id, the form alone: most samples make one from the time, so that two of them are two events. */
function steady(value: unknown, path: string): unknown {
	if (typeof value !== "string") return value;
	return path === "/id" ? value.replaceAll(/[0-9A-Za-z]/g, "x") : value.replaceAll(VARIES, "…");
}
