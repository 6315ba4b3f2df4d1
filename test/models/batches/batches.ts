/** Batches of inputs that are JSON, and responses as they are split. */
import { expect } from "vitest";
import type { Batch, ModelInput } from "../../../src/models/protocol.ts";
import { exchangeOf, find, inputOf, json } from "../captures.ts";

export const context = {
	url: "https://models.example.com",
	model: "m",
	deliveryId: "dlv_1",
	jobId: "dlv_1",
	completion: "sync",
	callbackUrl: null,
} as const;
export const JSON_TYPE = { "content-type": "application/json" };

export function batchOf(name: string): Batch {
	const { batch } = find(name);
	if (batch === undefined) throw new Error(`${name} has no batches`);
	return batch;
}

export const of = (text: string): ModelInput => inputOf(json(text));
export const keyOf = (name: string, text: string, url: string = context.url) =>
	batchOf(name).key(of(text), { ...context, url });

export function joined(name: string, texts: readonly string[]): string {
	const made = batchOf(name).join(texts.map(of), context);
	return "misfit" in made ? `misfit: ${made.misfit}` : String(made.body);
}

/** The texts of what a response is split into. */
export function split(name: string, body: string, count: number, status = 200): string[] | null {
	const outputs = batchOf(name).split(exchangeOf({ status, headers: JSON_TYPE, body }), count);
	return outputs?.map(textOf) ?? null;
}

function textOf(output: NonNullable<ReturnType<Batch["split"]>>[number]): string {
	if (output?.kind !== "data" || output.data.kind !== "json") throw new Error("no JSON");
	expect(output.contentType).toBe("application/json");
	return output.data.text;
}
