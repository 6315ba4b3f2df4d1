/** The results of verification. All unverified requests get the same refusal. */
import { type Refusal, refuse } from "../../http/refusal.ts";

export type Verified = { ok: true } | Refusal;

export const PROVEN: Verified = { ok: true };

/** The response never says which part was wrong. */
export const NOT_PROVEN: Refusal = refuse(
	401,
	"unauthorized",
	"The request could not be authenticated for this source.",
);
