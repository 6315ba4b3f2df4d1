/**
 * Nothing is begun while a dispatcher that has just woken does not know what its hands are carrying out: it might send a
 * delivery twice, or more than the endpoint bears.
 */
import type { Gate } from "./gate.ts";

export const recovery: Gate<null> = {
	name: "recovery",
	initial: null,
	admit: (_, { isRecovering }) =>
		isRecovering ? { slots: 0, until: null } : { slots: Number.POSITIVE_INFINITY },
	after: () => null,
};
