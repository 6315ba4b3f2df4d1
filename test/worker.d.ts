/** Tells `cloudflare:workers` which Worker the tests run in, so that `exports` has its types. */
import type * as worker from "../src/worker.ts";

declare global {
	namespace Cloudflare {
		interface GlobalProps {
			mainModule: typeof worker;
		}
	}
}
