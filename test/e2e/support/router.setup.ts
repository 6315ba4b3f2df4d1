/**
 * Starts the one router that the suites share, as a user starts it, with a state of its own; suites that stop or
 * reconfigure a router start another. What it printed stays in .sluice/e2e.log.
 */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startRouter } from "../../../scripts/router.ts";

export const ROOT_KEY = "e2e-root-key";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
	const logFolder = join(project.config.root, ".sluice");
	await mkdir(logFolder, { recursive: true });
	const log = createWriteStream(join(logFolder, "e2e.log"));
	const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
	const cleanUp = async () => {
		log.end();
		await rm(folder, { recursive: true, force: true });
	};
	try {
		const router = await startRouter({
			port: 0,
			vars: { ADMIN_TOKEN: ROOT_KEY, ALLOW_PRIVATE_ENDPOINTS: "true" },
			persistTo: folder,
			log: (line) => log.write(`${line}\n`),
		});
		project.provide("routerUrl", router.url);
		return async () => {
			await router.stop();
			await cleanUp();
		};
	} catch (error) {
		await cleanUp();
		throw error;
	}
}

declare module "vitest" {
	interface ProvidedContext {
		/** Origin of the shared router. */
		routerUrl: string;
	}
}
