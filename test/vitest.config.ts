/**
 * Two ways to test. "workers" runs inside workerd, with the bindings of wrangler.toml: decisions, D1, Durable
 * Objects, single routes. "e2e" runs in plain Node against the whole router as a separate process.
 */
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { DESTINATION } from "./destinations.ts";
import { PATIENCE_MS } from "./patience.ts";

const root = join(import.meta.dirname, "..");
/** Longer than any single wait, so that it is the wait that fails, and says what for. */
const bounds = { testTimeout: 2 * PATIENCE_MS, hookTimeout: 2 * PATIENCE_MS };

export default defineConfig({
	root,
	test: {
		// The Worker logs a line a step; only those of a failed test are of interest.
		silent: "passed-only",
		// More than the cores of a small machine: the end-to-end suites mostly wait.
		maxWorkers: 4,
		projects: [
			{
				root,
				plugins: [
					cloudflareTest({
						wrangler: { configPath: join(root, "wrangler.toml") },
						miniflare: {
							bindings: {
								ADMIN_TOKEN: "test-token",
								ALLOW_PRIVATE_ENDPOINTS: "true",
								// Hundreds of changes are made and need not wait; the end-to-end suites do.
								ROUTING_MAX_AGE_MS: "0",
								FUZZ_SEED: process.env["SLUICE_FUZZ_SEED"] ?? "",
							},
							queueProducers: { JOBS: { queueName: "jobs" } },
							serviceBindings: { OCR: "destination" },
							workers: [
								{
									name: "destination",
									modules: true,
									script: DESTINATION,
									queueConsumers: { jobs: { maxBatchTimeout: 0 } },
								},
							],
							// With no wait, a batch may still be routed when its test file ends, and the plugin then waits for ever.
							queueConsumers: {
								"sluice-events": { maxBatchSize: 100, maxBatchTimeout: 1, maxRetries: 100, retryDelay: 5 },
								"sluice-events-dlq": { maxBatchSize: 20, maxBatchTimeout: 1, maxRetries: 100, retryDelay: 5 },
							},
						},
					}),
				],
				test: {
					name: "workers",
					include: ["test/**/*.test.ts"],
					exclude: ["test/e2e/**"],
					...bounds,
					setupFiles: ["test/patience.setup.ts"],
					globalSetup: [
						"test/delivery/exchange/carriers/send.servers.ts",
						"test/ingest/queues/sqs.server.ts",
					],
				},
			},
			{
				root,
				test: {
					name: "e2e",
					include: ["test/e2e/**/*.test.ts"],
					globalSetup: ["test/e2e/support/router.setup.ts"],
					setupFiles: ["test/e2e/support/described.setup.ts"],
					...bounds,
				},
			},
		],
	},
});
