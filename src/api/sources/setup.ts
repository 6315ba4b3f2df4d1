/** Setup steps for a publisher, and a sample of what it will send. */
import type { Env } from "../../env.ts";
import type { TestMark } from "../../events/test-mark.ts";
import { toProblem } from "../../http/refusal.ts";
import { bindKind } from "../../sources/registry.ts";
import { sign } from "../../sources/proof/sign.ts";
import { type BoundKind, SECRET_PLACEHOLDER } from "../../sources/kind.ts";
import { standIn } from "../../sources/proof/stand-in.ts";
import { OUR_SAMPLE, type Trust } from "../../sources/proof/trust.ts";
import { secretUnreadable, settingsUnreadable, sourcePaused } from "../../sources/stopped.ts";
import { type KnownSource, type Source, isKnown } from "../../store/records.ts";
import { hasSecret } from "../../store/resources/source-auth.ts";
import type { Ingest } from "../http/context.ts";
import { currentSecret } from "../fields/secrets.ts";
import { isPosted } from "./fields.ts";

/** The steps with the real URL; the reader inserts the secret. Throws 503 `settings_unreadable`. */
export function setupToWire(source: Source, origin: string): Record<string, unknown> {
	const { auth } = requireKnown(source);
	const plain = `${origin}/in/${source.name}`;
	const url = auth.type === "url_token" ? `${plain}?token=${SECRET_PLACEHOLDER}` : plain;
	const setup = boundKind(source).setup({ url, secret: SECRET_PLACEHOLDER });
	return {
		source: source.name,
		kind: source.kind,
		ingest_url: isPosted(source.kind) ? plain : null,
		secret_placeholder: hasSecret(auth.type) ? SECRET_PLACEHOLDER : null,
		...setup,
	};
}

/** Throws 503 `settings_unreadable`. */
function requireKnown(source: Source): KnownSource {
	if (isKnown(source)) return source;
	throw toProblem(settingsUnreadable());
}

/** Throws 503 `settings_unreadable`. */
function boundKind(source: Source): BoundKind {
	const kind = bindKind(source);
	if (!kind.ok) throw toProblem(kind);
	return kind;
}

/** The sample request, and the part that is shown: never the credentials. */
export interface SampleRequest {
	request: Request;
	/** The trust to verify it with: who signed it. */
	trust: Trust;
	sent: { headers: Record<string, string>; body: string };
}

/**
 * A request as the publisher would make it, credentials included, and who signed it. `now` in ms.
 * Throws 503 `secret_unreadable` or `settings_unreadable`.
 */
export async function buildSample(source: Source, origin: string, now: number): Promise<SampleRequest> {
	const { secrets } = source;
	const { auth } = requireKnown(source);
	if (secrets === null) throw toProblem(secretUnreadable());
	const sample = boundKind(source).sample(now);
	const url = `${origin}/in/${source.name}`;
	const unsigned = { url, headers: sample.headers, body: sample.body };
	const known = sign(auth, currentSecret(secrets, now) ?? "", unsigned, now);
	const { proof, trust } =
		known === null
			? await standIn(auth, { url, body: sample.body, now })
			: { proof: known, trust: OUR_SAMPLE };
	const request = new Request(url + (proof.query ?? ""), {
		method: "POST",
		headers: { ...sample.headers, ...proof.headers },
		body: proof.body ?? sample.body,
	});
	return { request, trust, sent: sample };
}

/**
 * The response of `POST …/test` for a source that reads a queue: the sample is handled like a
 * message of the queue. Throws 503 `source_paused`, or what `takeMessage` refuses with.
 */
export async function takeSample(
	env: Env,
	{ takeMessage }: Pick<Ingest, "takeMessage">,
	source: Source,
	mark: TestMark,
	now: number,
): Promise<Record<string, unknown>> {
	if (source.status === "paused") throw toProblem(sourcePaused());
	const sent = boundKind(source).sample(now);
	const taken = await takeMessage(env, source, sent.body, now, mark);
	if (!taken.ok) throw toProblem(taken);
	return { sent, answer: { status: 202, body: { ids: taken.ids } } };
}

/** The response that the publisher would have got. */
export async function responseToWire(response: Response): Promise<{ status: number; body: unknown }> {
	const text = await response.text();
	return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}
