/**
 * Loopback servers for send.test.ts, one for each way an exchange can go. They run in Node, as vitest's global
 * setup, because the tests run in workerd, where nothing can listen.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import type { TestProject } from "vitest/node";

declare module "vitest" {
	interface ProvidedContext {
		/** URLs without a path. */
		sendServers: { wellBehaved: string; refused: string } & Record<Misbehaviour, string>;
	}
}

/** What a raw TCP server does once the request has begun to arrive. */
const misbehaviours = {
	resets: (socket: Socket) => socket.resetAndDestroy(),
	closes: (socket: Socket) => socket.end(),
	closesInHeaders: (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-"),
	speaksNoHttp: (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
	hangs: () => {},
	resetsInBody: (socket: Socket) => {
		// Only once the client has had the headers for sure, or it would see no response at all.
		socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
		setTimeout(() => socket.resetAndDestroy(), 50);
	},
	closesInBody: (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"),
	closesInChunk: (socket: Socket) =>
		socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc"),
	claimsGzip: (socket: Socket) => {
		socket.end("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello");
	},
} satisfies Record<string, (socket: Socket) => void>;

type Misbehaviour = keyof typeof misbehaviours;

/** Requests and open bodies by path, so that a test can ask what its request has left behind. */
const seen = new Map<string, { requests: number; open: number }>();

function answer(request: IncomingMessage, response: ServerResponse): void {
	const { pathname, searchParams } = new URL(request.url ?? "/", "http://loopback");
	if (pathname === "/seen") {
		response.end(JSON.stringify(seen.get(searchParams.get("path") ?? "") ?? { requests: 0, open: 0 }));
		return;
	}
	const counts = seen.get(pathname) ?? { requests: 0, open: 0 };
	seen.set(pathname, counts);
	counts.requests++;
	counts.open++;
	response.on("close", () => counts.open--);
	const page = pages[pathname.split("/")[1] ?? ""];
	if (page === undefined) response.writeHead(404).end();
	else page(request, response, pathname.split("/")[2] ?? "");
}

/** The first segment of the path names the page, the second is its argument. */
const pages: Record<string, (request: IncomingMessage, response: ServerResponse, argument: string) => void> =
	{
		echo(request, response) {
			const chunks: Buffer[] = [];
			request.on("data", (chunk: Buffer) => chunks.push(chunk));
			request.on("end", () => {
				const { method, url, headers } = request;
				const body = Buffer.concat(chunks).toString("base64");
				response.setHeader("content-type", "application/json").setHeader("X-Answer", "42");
				response.end(JSON.stringify({ method, url, headers, body }));
			});
		},
		status(_, response, status) {
			response.writeHead(Number(status), { "retry-after": "7" }).end("said");
		},
		nothing(_, response) {
			response.writeHead(204).end();
		},
		redirect(_, response, status) {
			response.writeHead(Number(status), { location: "/redirected" }).end();
		},
		redirected(_, response) {
			response.end();
		},
		/** A body of so many bytes, with its length declared. */
		sized(_, response, bytes) {
			response.writeHead(200, { "content-length": bytes });
			response.end(Buffer.alloc(Number(bytes), "x"));
		},
		/** So many bytes of text, that are few on the way. */
		zipped(_, response, bytes) {
			response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(Number(bytes), "x")));
		},
		endless(_, response) {
			const block = Buffer.alloc(64 * 1024, "x");
			const fill = (): void => {
				while (!response.destroyed && response.write(block));
			};
			response.on("drain", fill);
			fill();
		},
		/** A byte now and then, for ever: each of them would keep an idle timeout from firing. */
		trickle(_, response) {
			response.write("x");
			const timer = setInterval(() => response.write("x"), 20);
			response.on("close", () => clearInterval(timer));
		},
	};

/** Starts everything on free ports, and stops it when the tests are done. */
export default async function setup(project: TestProject): Promise<() => void> {
	const sockets = new Set<Socket>();
	const servers: Server[] = [];
	const start = async (server: Server): Promise<string> => {
		servers.push(server);
		server.on("connection", (socket: Socket) => {
			sockets.add(socket);
			// A client that goes away is what half of these tests are about.
			socket.on("error", () => {}).on("close", () => sockets.delete(socket));
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	};

	const raw = await Promise.all(
		Object.entries(misbehaviours).map(async ([name, misbehave]) => {
			const server = createTcpServer((socket) => socket.once("data", () => misbehave(socket)));
			return [name, await start(server)] as const;
		}),
	);
	const closed = createTcpServer();
	const refused = await start(closed);
	await new Promise((resolve) => closed.close(resolve));

	project.provide("sendServers", {
		...(Object.fromEntries(raw) as Record<Misbehaviour, string>),
		wellBehaved: await start(createServer(answer)),
		refused,
	});
	return () => {
		for (const server of servers) server.close();
		for (const socket of sockets) socket.destroy();
	};
}
