/**
 * Starts a Worker in Miniflare, bundled as for deployment, and without the proxy of `wrangler dev`, which limits
 * everything to a few hundred requests a second.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from "wrangler";
import { bundledModules } from "../test/e2e/support/bundled-modules.ts";

const PROJECT = join(import.meta.dirname, "..");
const WRANGLER = join(PROJECT, "node_modules", "wrangler", "bin", "wrangler.js");
const run = promisify(execFile);

/** Consumes every message and does nothing, so that only the queue's own work is measured. */
const IDLE_CONSUMER: V4WorkerOptions = {
	name: "idle-consumer",
	modules: true,
	script: "export default { queue() {} }",
	compatibilityDate: "2026-10-01",
	queueConsumers: { "sluice-events": { maxBatchSize: 100, maxBatchTimeout: 1 } },
};

export interface RunningWorker {
	/** Origin of the Worker itself, bypassing Miniflare's own router. */
	url: string;
	stop(): Promise<void>;
}

export interface StartOptions {
	/** Path of a wrangler.toml, relative to the project's root. */
	config: string;
	/** Path of a module that replaces the one in the config, relative to the project's root. */
	entry?: string;
	vars?: Record<string, string>;
	/**
	 * Which Worker consumes the queue: this one, or an idle one instead. workerd runs everything in one thread, so a
	 * working consumer would be measured along with ingest; on Cloudflare it runs elsewhere.
	 */
	consumer: "own" | "idle";
}

/** Bundles and starts a Worker with empty storage of its own. */
export async function startWorker({
	config,
	entry,
	vars = {},
	consumer,
}: StartOptions): Promise<RunningWorker> {
	const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
	const configPath = join(PROJECT, config);
	const { workerOptions, main = "" } = readWorkerOptions(configPath);
	const { modulesRules: _, ...bindings } = workerOptions;
	const bundle = await bundleWorker(configPath, entry === undefined ? main : join(PROJECT, entry), folder);

	const worker: V4WorkerOptions = {
		...bindings,
		name: "measured",
		modules: await bundledModules(dirname(bundle), basename(bundle)),
		modulesRoot: dirname(bundle),
		bindings: vars,
		unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
	};
	if (consumer === "idle") delete worker.queueConsumers;
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			workers: consumer === "idle" ? [worker, IDLE_CONSUMER] : [worker],
			log: new Log(LogLevel.ERROR),
			// The Worker's own log lines are part of its work, but do not belong in the table.
			handleStructuredLogs: () => {},
			resourcePersistencePath: join(folder, "state"),
		}),
	);
	const url = await miniflare.unsafeGetDirectURL("measured");
	return {
		url: url.origin,
		async stop() {
			await miniflare.dispose();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** Bundles with wrangler, so that the measured code is the deployed code. Returns the bundle's path. */
async function bundleWorker(configPath: string, entry: string, folder: string): Promise<string> {
	const outdir = join(folder, "bundle");
	const args = [WRANGLER, "deploy", entry, "--dry-run", "--config", configPath, "--outdir", outdir];
	await run(process.execPath, args, {
		cwd: PROJECT,
		env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" },
	});
	return join(outdir, basename(entry).replace(/\.ts$/, ".js"));
}
