/** How a publisher is set up, and a sample of what it will send, for a person who is connecting one. */
import type { Env } from "../env.ts";
import { sign } from "../ingest/sign.ts";
import { SECRET_PLACEHOLDER } from "../ingest/sources/kind.ts";
import { kindOf } from "../ingest/parse-events.ts";
import { takeMessage } from "../ingest/take-message.ts";
import { Problem } from "../problem.ts";
import type { Source } from "../store/records.ts";
import { currentSecret, hasSecret } from "./secrets.ts";
import { isPosted } from "./source-fields.ts";

/** The steps with the real URL; the secret is left for the reader to put in. */
export function setupToWire(source: Source, origin: string): Record<string, unknown> {
	const plain = `${origin}/in/${source.name}`;
	const url = source.auth.type === "url_token" ? `${plain}?token=${SECRET_PLACEHOLDER}` : plain;
	const setup = kindOf(source).setup({ source, url, secret: SECRET_PLACEHOLDER });
	return {
		source: source.name,
		kind: source.kind,
		ingest_url: isPosted(source.kind) ? plain : null,
		secret_placeholder: hasSecret(source.auth.type) ? SECRET_PLACEHOLDER : null,
		...setup,
	};
}

/** What is sent, and what is told of it: never the proof. */
export interface SampleRequest {
	request: Request;
	sent: { headers: Record<string, string>; body: string };
}

/** A request as the publisher would make it, proof included. Throws 409 `cannot_sign_sample`. */
export function buildSample(source: Source, origin: string, now: number): SampleRequest {
	const sample = kindOf(source).sample(now);
	const proof = sign(source.auth, currentSecret(source.secrets, now) ?? "", sample.body, now);
	if (proof === null) {
		const detail = `Only the provider can sign requests for auth ${source.auth.type}: send a real event from there.`;
		throw new Problem(409, "cannot_sign_sample", detail);
	}
	const request = new Request(`${origin}/in/${source.name}${proof.query ?? ""}`, {
		method: "POST",
		headers: { ...sample.headers, ...proof.headers },
		body: sample.body,
	});
	return { request, sent: sample };
}

/**
 * What `POST …/test` answers for a source that nobody posts to: the sample goes the way of a message from its
 * queue. Throws 403 `source_disabled`, or what `takeMessage` throws.
 */
export async function takeSample(env: Env, source: Source, now: number): Promise<Record<string, unknown>> {
	if (source.status === "disabled") throw new Problem(403, "source_disabled", "This source takes no events.");
	const sent = kindOf(source).sample(now);
	const ids = await takeMessage(env, source, sent.body, now);
	return { sent, answer: { status: 202, body: { ids } } };
}

/** The answer that the publisher would have got. */
export async function readAnswer(response: Response): Promise<{ status: number; body: unknown }> {
	const text = await response.text();
	return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}
