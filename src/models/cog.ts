/**
 * Protocol `cog`: containers made by Cog, asked for the result at once. An object is the prediction's named inputs. The
 * prediction has the delivery's id, so that a repetition joins one that is still running. The output is its `output`.
 */
import { memberTexts } from "../events/json/text.ts";
import { endsWith, under, withEnd } from "./address.ts";
import { JSON_HEADERS, valueOf } from "./input.ts";
import { readData } from "./output.ts";
import type { Exchange, ModelOutput, Usage } from "./exchange.ts";
import type { Protocol } from "./protocol.ts";
import {
	ask,
	countOf,
	describe,
	errorTextOf,
	isObject,
	isSuccess,
	objectIn,
	reading,
	textOf,
} from "./reading.ts";

const PREDICTIONS = /\/predictions$/;

export const cog: Protocol = {
	// A container has one slot unless it was built with more, and refuses what comes on top.
	defaults: { maxConcurrency: 1 },
	needsModel: () => false,
	request(input, { url, deliveryId }) {
		const value = valueOf(input);
		if (!isObject(value))
			return { misfit: "a prediction takes an object, one member for each of its inputs" };
		// Nothing else of an event is passed on: a publisher must not choose where results go (`webhook`).
		const inputs = isObject(value["input"]) ? value["input"] : value;
		return {
			method: "PUT",
			url: under(url, `${endsWith(url, PREDICTIONS) ? "" : "/predictions"}/${deliveryId}`),
			headers: JSON_HEADERS,
			body: JSON.stringify({ input: inputs }),
		};
	},
	read(exchange) {
		if (!isSuccess(exchange)) {
			const error = errorTextOf(exchange);
			if (exchange.status === 409) return reading({ class: "busy", scope: "request", error });
			const isStarting = exchange.status === 503 && /\bsetup has not finished\b/i.test(error ?? "");
			return reading({ error, ...(isStarting && { class: "busy", scope: "endpoint" }) });
		}
		const prediction = objectIn(exchange);
		const usage = usageOf(prediction?.["metrics"]);
		switch (prediction?.["status"]) {
			case "failed":
			case "canceled": {
				const error = describe(prediction["error"]) ?? `The prediction is ${prediction["status"]}.`;
				return reading({ class: "error", error, usage });
			}
			// Joined, and without a result: the one that asked first would have had it.
			case "processing":
				return reading({ class: "busy", scope: "request", error: "The prediction is still running." });
			default:
				return reading({ output: outputOf(exchange, prediction), usage });
		}
	},
	ready: {
		request: ({ url }) => ask(withEnd(url, PREDICTIONS, "/health-check") ?? under(url, "/health-check")),
		// It says 200 whatever it says: STARTING, BUSY, SETUP_FAILED.
		isReady: (response) => isSuccess(response) && objectIn(response)?.["status"] === "READY",
	},
};

/** The prediction's, its JSON as it came; a body that is no finished prediction stays what it is. */
function outputOf(exchange: Exchange, prediction: Record<string, unknown> | null): ModelOutput {
	const whole = readData(exchange);
	const isFinished = prediction?.["status"] === "succeeded";
	if (!isFinished || whole?.kind !== "data" || whole.data.kind !== "json") return whole;
	const text = memberTexts(textOf(exchange.body)).get("output");
	return text === undefined ? null : { ...whole, data: { kind: "json", text } };
}

function usageOf(metrics: unknown): Usage | null {
	const seconds = isObject(metrics) ? countOf(metrics["predict_time"]) : null;
	return seconds === null ? null : { inputTokens: null, outputTokens: null, seconds };
}
