/**
 * The route `/callbacks/{delivery}/{token}`, to which a model server posts the output of a job. The token authenticates
 * the request, and the dispatcher that owns the delivery interprets it. The response is sent only after the write.
 */
import { isCallbackToken } from "../crypto/callback-token.ts";
import type { CalledBack } from "../delivery/callback.ts";
import type { Env } from "../env.ts";
import { endpointIdOf } from "../events/ids.ts";
import { refuseWhileClosed } from "../http/closed.ts";
import { codingsOf, decode } from "../delivery/exchange/response/coding.ts";
import {
	BODY_TOO_LARGE,
	bodyIncomplete,
	MAX_BODY_BYTES,
	readBodyAsSent,
	UNSUPPORTED_ENCODING,
} from "../http/read-body.ts";
import { type Refusal, refuse, refuseForNow, toResponse } from "../http/refusal.ts";
import { log } from "../log.ts";
import { dispatcher } from "../objects/clients.ts";

/** The header with the job's HTTP status, for a server whose job failed: 500, 422 … */
export const STATUS_HEADER = "sluice-status";

const UNKNOWN = refuse(404, "callback_not_found", "There is no delivery with this callback URL.");

/** Handles a request to a delivery's callback URL. Never throws. */
export async function receiveCallback(
	request: Request,
	env: Env,
	deliveryId: string,
	token: string,
): Promise<Response> {
	const taken = await take(request, env, deliveryId, token);
	log("callback.received", {
		delivery_id: deliveryId.slice(0, 100),
		...(taken.ok ? { effect: taken.effect } : { code: taken.code, status: taken.status }),
		...(!taken.ok && taken.cause instanceof Error && { cause: String(taken.cause) }),
	});
	return taken.ok ? Response.json({ id: deliveryId, effect: taken.effect }) : toResponse(taken);
}

async function take(
	request: Request,
	env: Env,
	deliveryId: string,
	token: string,
): Promise<CalledBack | Refusal> {
	const closed = refuseWhileClosed(env);
	if (closed !== null) return closed;
	const endpointId = endpointIdOf(deliveryId);
	if (endpointId === null || !isCallbackToken(env, deliveryId, token)) return UNKNOWN;
	const status = statusOf(request.headers.get(STATUS_HEADER));
	if (status === null) {
		return refuse(400, "invalid_status", `${STATUS_HEADER} must be an HTTP status from 200 to 599.`);
	}
	const read = await readContent(request);
	// A body that is too large ends the job, like a response of that size: a retry would produce the same output.
	if (!read.ok && read.code !== "body_too_large") return read;
	const callback = {
		attempt: attemptIn(request.url),
		status,
		headers: Object.fromEntries(request.headers),
		body: read.ok ? read.body : null,
	};
	try {
		return await dispatcher(env, endpointId).callBack(deliveryId, callback);
	} catch (cause) {
		return refuseForNow("unavailable", "The delivery cannot be reached now. Send the request again.", {
			cause,
		});
	}
}

/**
 * The body, decompressed as responses are: the token in the URL is already checked, and what is decoded is bounded. A
 * signature is one of the content, because frameworks compress behind the code that signs.
 */
async function readContent(request: Request): ReturnType<typeof readBodyAsSent> {
	const read = await readBodyAsSent(request);
	if (!read.ok) return read;
	const codings = codingsOf(request.headers.get("content-encoding"));
	const { body, failure } = decode(read.body, codings, MAX_BODY_BYTES);
	if (failure === null) return { ok: true, body };
	if (failure.error === "too_large") return BODY_TOO_LARGE;
	return failure.error === "cut_off" ? bodyIncomplete(failure.message) : UNSUPPORTED_ENCODING;
}

/** null: the URL does not say, or it has been changed; then it counts for whichever attempt is the latest. */
function attemptIn(url: string): number | null {
	const value = new URL(url).searchParams.get("attempt") ?? "";
	return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : null;
}

/** Returns 200 if the header is missing, null if it is invalid. */
function statusOf(value: string | null): number | null {
	if (value === null) return 200;
	const status = Number(value);
	return /^[2-5]\d\d$/.test(value.trim()) ? status : null;
}
