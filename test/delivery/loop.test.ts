/** The loop of a dispatcher whose parts are stood in for: no call to it is lost. */
import { expect, test } from "vitest";
import { Loop, type LoopParts } from "../../src/delivery/loop.ts";

/** Turns of the microtask queue in which a round comes to its end, and more. */
const TURNS = 20;

async function turns(count: number): Promise<void> {
	for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** A loop that has nothing to do, and how many rounds it has made. `armed` is called when a round sets the alarm. */
function idle(armed: (rounds: number) => void) {
	let rounds = 0;
	const parts = {
		ctx: { waitUntil: () => {} },
		endpointId: () => "ep_0000000001",
		alarm: { arm: async () => armed(rounds) },
		backlog: {
			outlook: () => ({ retryAt: null, jobAt: null, publishAt: null, untried: false, empty: false }),
			claim: () => null,
			retention: { sweptAt: 0 },
		},
		settings: {
			last: undefined,
			isOutdated: false,
			read: async () => {
				rounds += 1;
				return "missing" as const;
			},
		},
		repair: { goOn: () => false },
		presence: { note: () => {}, resolve: () => "missing" as const },
		announcer: { tell: async () => null, isOwing: false },
		work: {
			flights: { claimed: new Map(), writeAgain: () => {} },
			pool: { isRecovering: false },
			admitted: () => ({ slots: 1, blockedBy: null }),
			begin: () => 0,
		},
		bulk: { isRunning: false },
	};
	return { loop: new Loop(parts as unknown as LoopParts), rounds: () => rounds };
}

test.each(Array.from({ length: TURNS }, (_, turn) => turn))(
	"a call %i turns after a round has set its alarm makes another round",
	async (turn) => {
		const { loop, rounds } = idle((round) => {
			if (round === 1) void turns(turn).then(() => loop.start());
		});
		loop.start();
		await turns(20 * TURNS);
		expect(rounds()).toBe(2);
	},
);
