/**
 * Predictions of Cog and Replicate: named inputs, a status, and an output whose JSON is kept
 * unchanged.
 */
import { memberTexts } from "../../events/json/text.ts";
import type { Exchange, ModelOutput, Reading, Usage } from "../exchange.ts";
import { valueOf } from "../requests/input.ts";
import { readData } from "../responses/output.ts";
import type { Misfit, ModelInput } from "../protocol.ts";
import { countOf, describe, isObject, textOf } from "../responses/reading.ts";

export type Prediction = Record<string, unknown>;

/** Where the server posts the prediction once it has ended. */
export interface Webhook {
	webhook?: string;
	webhook_events_filter?: readonly string[];
}

/** The prediction's inputs by name. */
export function inputsOf(input: ModelInput): { inputs: Record<string, unknown> } | Misfit {
	const value = valueOf(input);
	if (!isObject(value)) return { misfit: "a prediction needs an object with one member for each input" };
	// Nothing else of an event is passed on: a publisher must not choose where results are sent
	// (`webhook`).
	return { inputs: isObject(value["input"]) ? value["input"] : value };
}

export function webhookOf(callbackUrl: string | null): Webhook {
	return callbackUrl === null ? {} : { webhook: callbackUrl, webhook_events_filter: ["completed"] };
}

/** What a prediction with this status means; null: it is still running, or has no status. */
export function endOf(
	prediction: Prediction | null,
	exchange: Exchange,
): Pick<Reading, "class" | "output" | "error" | "usage"> | null {
	const usage = usageOf(prediction?.["metrics"]);
	switch (prediction?.["status"]) {
		case "succeeded":
			return { class: null, output: outputOf(exchange), error: null, usage };
		case "failed":
		case "canceled":
		case "aborted": {
			const error = describe(prediction["error"]) ?? `The prediction is ${prediction["status"]}.`;
			return { class: "error", output: null, error, usage };
		}
		default:
			return null;
	}
}

/**
 * Of a finished prediction; if it exceeds the limits for JSON, the output is the whole document, as
 * text.
 */
function outputOf(exchange: Exchange): ModelOutput {
	const whole = readData(exchange);
	if (whole?.kind !== "data" || whole.data.kind !== "json") return whole;
	const text = memberTexts(textOf(exchange.body)).get("output");
	return text === undefined ? null : { ...whole, data: { kind: "json", text } };
}

export function usageOf(metrics: unknown): Usage | null {
	const seconds = isObject(metrics) ? countOf(metrics["predict_time"]) : null;
	return seconds === null ? null : { inputTokens: null, outputTokens: null, seconds };
}
