/**
 * The stage that every suite stands on: the API of the shared router, and a receiver of the suite's own.
 */
import { afterAll, beforeAll, inject } from "vitest";
import { connect } from "./api.ts";
import type { Api } from "./api.ts";
import { startReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import { ROOT_KEY } from "./router.setup.ts";

export interface Setting {
	api: Api;
	receiver: Receiver;
}

/** Call at the top of a suite. `receiver` may be used from the first test on. */
export function setting(): Setting {
	const stage = { api: connect(inject("routerUrl"), ROOT_KEY) } as Setting;
	beforeAll(async () => {
		stage.receiver = await startReceiver();
	});
	afterAll(() => stage.receiver.close());
	return stage;
}
