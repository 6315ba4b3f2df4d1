/**
 * Nothing is begun while a dispatcher that has just woken does not know what its hands are working
 * on: it could send a delivery twice, or send more than the endpoint can take.
 */
import type { Gate } from "./gate.ts";

export const recovery: Gate<null> = {
	name: "recovery",
	initial: null,
	admit: (_, { isRecovering }) =>
		isRecovering ? { slots: 0, until: null } : { slots: Number.POSITIVE_INFINITY },
	after: () => null,
};
