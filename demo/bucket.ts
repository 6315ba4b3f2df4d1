/**
 * A bucket on loopback: a folder, a small file server, and a watcher for new files. publisher.ts sends the
 * notifications.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, extname, join } from "node:path";
import { closeServer, listen } from "./webhook-server.ts";

const LOOK_EVERY_MS = 25;
const CONTENT_TYPES: Record<string, string> = {
	".png": "image/png",
	".jpg": "image/jpeg",
	".jpeg": "image/jpeg",
};

/** One file in the bucket, in the words of bucket notifications. */
export interface StoredObject {
	bucket: string;
	key: string;
	/** Bytes. */
	size: number;
	content_type: string;
	url: string;
}

export interface Bucket {
	folder: string;
	url: string;
	close: () => Promise<void>;
}

/** Serves `folder` and calls `arrived` once for each file, when it has stopped growing. */
export async function openBucket(folder: string, arrived: (object: StoredObject) => void): Promise<Bucket> {
	const server = createServer((request, response) => {
		const key = decodeURIComponent(basename(request.url ?? ""));
		readFile(join(folder, key)).then(
			(content) => response.writeHead(200, { "content-type": contentType(key) }).end(content),
			() => response.writeHead(404).end(),
		);
	});
	const url = await listen(server);
	const sizes = new Map<string, number>();
	const known = new Set<string>();
	const look = async () => {
		for (const key of await readdir(folder)) {
			const { size } = await stat(join(folder, key));
			const isComplete = size > 0 && sizes.get(key) === size;
			sizes.set(key, size);
			if (!isComplete || known.has(key)) continue;
			known.add(key);
			const location = `${url}/${encodeURIComponent(key)}`;
			arrived({ bucket: "scans", key, size, content_type: contentType(key), url: location });
		}
	};
	// A file that disappears between the two calls is missing at the next check.
	const timer = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS);
	return {
		folder,
		url,
		close: async () => {
			clearInterval(timer);
			await closeServer(server);
		},
	};
}

function contentType(key: string): string {
	return CONTENT_TYPES[extname(key).toLowerCase()] ?? "application/octet-stream";
}
