/**
 * Carries out one exchange with the target that the URL names: a host, or a binding of the Worker.
 * Both the dispatcher and the hands use it. Never throws, and never waits longer than the deadline.
 */
import type { Env } from "../../../env.ts";
import { readBindingUrl } from "../../../models/requests/binding-url.ts";
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import { findBinding, missing } from "./bindings.ts";
import { runModel } from "./run-model.ts";
import { send, type SendOptions } from "./send.ts";
import { sendToQueue } from "./send-to-queue.ts";

/**
 * The result includes the credentials that were made for the request, so that they can be masked in
 * its response.
 */
export async function carry(
	env: Env,
	request: OutgoingRequest,
	options: SendOptions,
): Promise<AttemptResult> {
	const result = await carried(env, request, options);
	return request.secrets === undefined ? result : { ...result, secrets: request.secrets };
}

async function carried(env: Env, request: OutgoingRequest, options: SendOptions): Promise<AttemptResult> {
	const target = readBindingUrl(request.url);
	if (target === null) return send(request, options);
	const bound = findBinding(env, target);
	if (bound === null) {
		const message = `The endpoint's url ${missing(target)}`;
		return { kind: "no_response", error: "no_binding", message, durationMs: 0 };
	}
	switch (bound.scheme) {
		case "workers-ai":
			return runModel(bound.ai, bound.model, request.body ?? new Uint8Array(), options);
		case "queue":
			return sendToQueue(bound.queue, request, options);
		case "vpc":
			return send({ ...request, url: bound.url }, options, bound.fetcher);
	}
}
