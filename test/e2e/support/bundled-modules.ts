/** What wrangler has bundled, as Miniflare wants it: the Worker's module first, then the texts that it imports. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

interface BundledModule {
	type: "ESModule" | "Text";
	path: string;
}

/** Of the folder into which wrangler has written the bundle `script`. */
export async function bundledModules(folder: string, script: string): Promise<BundledModule[]> {
	const texts = (await readdir(folder)).filter((name) => /\.(?:html|css|client\.js)$/.test(name));
	return [
		{ type: "ESModule", path: join(folder, script) },
		...texts.map((name): BundledModule => ({ type: "Text", path: join(folder, name) })),
	];
}
