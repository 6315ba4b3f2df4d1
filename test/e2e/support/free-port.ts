/** Ports of 127.0.0.1 where nothing listens, at least at this moment. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** As many as asked for, all different. */
export async function freePorts(count: number): Promise<number[]> {
	const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
	const ports: number[] = [];
	for (const server of servers) {
		if (!server.listening) await once(server, "listening");
		ports.push((server.address() as AddressInfo).port);
	}
	for (const server of servers) {
		server.close();
		await once(server, "close");
	}
	return ports;
}

export async function freePort(): Promise<number> {
	const [port = 0] = await freePorts(1);
	return port;
}

/** A URL where connections are refused. */
export async function closedUrl(): Promise<string> {
	return `http://127.0.0.1:${await freePort()}/`;
}
