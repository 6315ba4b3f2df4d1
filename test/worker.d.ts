/** Tells `cloudflare:workers` which Worker the tests run in, so that `exports` has its types. */
declare namespace Cloudflare {
	interface GlobalProps {
		mainModule: typeof import("../src/worker.ts");
	}
}
