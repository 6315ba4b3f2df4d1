/** Why a publisher's request holds no events, as a value that codecs and source kinds hand back. */
import { Problem } from "./problem.ts";

export interface Refusal {
	ok: false;
	/** 503: nothing is wrong with the request, and it is to be sent again. */
	status: 400 | 413 | 415 | 503;
	/** Stable, as in `Problem`. */
	code: string;
	/** Says what is wrong, for a person; never quotes the payload. */
	message: string;
	/** The bad field where there is one: "type", "[3].type". */
	path?: string;
}

export function refuse(status: Refusal["status"], code: string, message: string, path?: string): Refusal {
	return { ok: false, status, code, message, ...(path !== undefined && { path }) };
}

export function toProblem({ status, code, message, path }: Refusal): Problem {
	return new Problem(status, code, message, path === undefined ? {} : { errors: [{ path, message }] });
}
