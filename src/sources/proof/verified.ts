/** The outcomes of verifying a request. Every request that does not prove itself gets the same refusal. */
import { type Refusal, refuse } from "../../http/refusal.ts";

export type Verified = { ok: true } | Refusal;

export const PROVEN: Verified = { ok: true };

/** The response never says which part of a proof was wrong. */
export const NOT_PROVEN: Refusal = refuse(
	401,
	"unauthorized",
	"The request does not prove that it comes from this source.",
);
