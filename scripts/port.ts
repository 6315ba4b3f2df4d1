/** Ports on this machine: parsing one from the command line, and a clear error if it is in use. */
import { createServer } from "node:net";

/** The requested port is used by another process. */
export class PortInUseError extends Error {
	override readonly name = "PortInUseError";

	constructor(port: number) {
		super(`Port ${port} is in use. Choose another with --port <number>.`);
	}
}

/** @throws {Error} when the text of `--port` is not a port number. 0 means any free port. */
export function parsePort(text: string): number {
	const port = Number(text);
	if (/^\d+$/.test(text) && port < 65_536) return port;
	throw new Error(`--port must be a number from 0 to 65535 (0: any free port), not "${text}".`);
}

/** @throws {PortInUseError} if it is in use now. It may still be taken a moment later. */
export async function assertPortFree(port: number, host: string): Promise<void> {
	const probe = createServer();
	await new Promise<void>((resolve, reject) => {
		probe.once("error", (error: NodeJS.ErrnoException) => {
			reject(error.code === "EADDRINUSE" ? new PortInUseError(port) : error);
		});
		probe.listen({ port, host, exclusive: true }, resolve);
	});
	await new Promise((resolve) => probe.close(resolve));
}
