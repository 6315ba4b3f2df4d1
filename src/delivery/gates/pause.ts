/**
 * Nothing is sent to an endpoint that is paused or disabled. This gate reads the settings and
 * stores nothing.
 */
import type { Gate } from "./gate.ts";

export const pause: Gate<null> = {
	name: "paused",
	initial: null,
	admit: (_, { isActive }) => (isActive ? { slots: Number.POSITIVE_INFINITY } : { slots: 0, until: null }),
	after: () => null,
};
