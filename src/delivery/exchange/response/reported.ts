/**
 * What a server reports about a request: usage, model version and its request id. Bounded, without
 * the endpoint's credentials, and valid as an event attribute. Pure.
 */
import { isAttributeText } from "../../../events/cloudevents/attributes.ts";
import type { Reading, Reported } from "../../../models/exchange.ts";
import { requestIdOf } from "../../../models/responses/reading.ts";
import type { AttemptResult } from "../../rules/attempt.ts";
import { showable } from "./excerpt.ts";

/**
 * The maximum length of a version or a request id, in characters. A longer one is left out, because a part of it would
 * identify something else.
 */
const MAX_LENGTH = 256;

/**
 * `said`: what the protocol reads in the response; null if it was not asked, so that only headers
 * count. `secrets` are masked.
 */
export function reportedBy(
	said: Reading | null,
	result: AttemptResult,
	secrets: readonly string[],
): Reported {
	const inHeaders = result.kind === "response" ? requestIdOf(result) : null;
	const usage = said?.usage ?? null;
	const modelVersion = nameIn(said?.modelVersion ?? null, secrets);
	const requestId = nameIn(said?.requestId ?? inHeaders, secrets);
	return {
		...(usage !== null && { usage }),
		...(modelVersion !== null && { modelVersion }),
		...(requestId !== null && { requestId }),
	};
}

function nameIn(text: string | null, secrets: readonly string[]): string | null {
	if (text === null || text.length > MAX_LENGTH) return null;
	const shown = showable(text, secrets);
	return shown !== "" && shown.length <= MAX_LENGTH && isAttributeText(shown) ? shown : null;
}
