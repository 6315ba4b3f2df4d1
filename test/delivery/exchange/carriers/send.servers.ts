/**
 * Loopback servers for send.test.ts, one for each way an exchange can go. They run in Node, as vitest's global
 * setup, because the tests run in workerd, where nothing can listen.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from "node:net";
import {
	brotliCompressSync,
	constants,
	createGzip,
	deflateRawSync,
	deflateSync,
	gzipSync,
	zstdCompressSync,
} from "node:zlib";
import type { TestProject } from "vitest/node";

declare module "vitest" {
	interface ProvidedContext {
		/** URLs without a path. */
		sendServers: { wellBehaved: string; refused: string; breaksOff: string } & Record<Misbehaviour, string>;
	}
}

/** What a raw TCP server does once the request has begun to arrive. */
const misbehaviours = {
	resets: (socket: Socket) => socket.resetAndDestroy(),
	closes: (socket: Socket) => socket.end(),
	closesInHeaders: (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-"),
	speaksNoHttp: (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
	hangs: () => {},
} satisfies Record<string, (socket: Socket) => void>;

type Misbehaviour = keyof typeof misbehaviours;

/** Ways not to give a whole body behind a status and headers, by the name in the path: `/{name}/{status}`. */
const breakOffs: Record<string, (socket: Socket, head: string) => void> = {
	resets: (socket, head) => {
		// Only once the client has had the headers for sure, or it would see no response at all.
		socket.write(`${head}content-length: 100\r\n\r\nabc`);
		setTimeout(() => socket.resetAndDestroy(), 50);
	},
	closes: (socket, head) => socket.end(`${head}content-length: 100\r\n\r\nabc`),
	closesInChunk: (socket, head) => socket.end(`${head}transfer-encoding: chunked\r\n\r\n5\r\nabc`),
	closesInGzip: (socket, head) => {
		socket.write(`${head}content-encoding: gzip\r\ncontent-length: 100\r\n\r\n`);
		socket.end(gzipSync("abc"));
	},
	hangs: (socket, head) => socket.write(`${head}content-length: 100\r\n\r\nabc`),
	// The client may take the first of ten megabytes, and a second is all it would wait for.
	declaresMuch: (socket, head) => socket.write(`${head}content-length: 10000000\r\n\r\nabc`),
	declaresMuchSilently: (socket, head) => socket.write(`${head}content-length: 10000000\r\n\r\n`),
	sendsMuch: (socket, head) => socket.end(`${head}\r\n${"abc".repeat(400_000)}`),
	claimsGzip: (socket, head) => socket.end(`${head}content-encoding: gzip\r\n\r\nhello`),
	claimsZstd: (socket, head) => socket.end(`${head}content-encoding: zstd\r\n\r\nhello`),
};

function breakOff(socket: Socket, request: Buffer): void {
	const [, how = "", status = ""] = /^POST \/(\w+)\/(\d+)/.exec(request.toString()) ?? [];
	breakOffs[how]?.(socket, `HTTP/1.1 ${status} Said\r\ncontent-type: text/plain\r\nretry-after: 7\r\n`);
}

/** Every content coding, well and badly made, of "hello world". */
const TEXT = "hello world";
const zipped = gzipSync(TEXT);
const codings: Record<string, { as: string | string[]; body: Buffer }> = {
	gzip: { as: "gzip", body: zipped },
	upperCase: { as: "GZIP", body: zipped },
	xGzip: { as: "x-gzip", body: zipped },
	twoMembers: { as: "gzip", body: Buffer.concat([gzipSync("hello "), gzipSync("world")]) },
	deflate: { as: "deflate", body: deflateSync(TEXT) },
	bareDeflate: { as: "deflate", body: deflateRawSync(TEXT) },
	brotli: { as: "br", body: brotliCompressSync(TEXT) },
	identity: { as: "identity", body: Buffer.from(TEXT) },
	identityAndGzip: { as: "identity, gzip", body: zipped },
	twice: { as: "gzip, gzip", body: gzipSync(zipped) },
	twoLines: { as: ["deflate", "br"], body: brotliCompressSync(deflateSync(TEXT)) },
	emptyGzip: { as: "gzip", body: Buffer.alloc(0) },
	emptyBrotli: { as: "br", body: Buffer.alloc(0) },
	emptyUnknown: { as: "zstd", body: Buffer.alloc(0) },
	gzipOfNothing: { as: "gzip", body: gzipSync("") },
	zstd: { as: "zstd", body: zstdCompressSync(TEXT) },
	unknown: { as: "aes128gcm", body: Buffer.from(TEXT) },
	threeTimes: { as: "gzip, gzip, gzip", body: gzipSync(gzipSync(zipped)) },
	noGzip: { as: "gzip", body: Buffer.from("hello") },
	noXGzip: { as: "x-gzip", body: Buffer.from("hello") },
	noDeflate: { as: "deflate", body: Buffer.from("hello") },
	noBrotli: { as: "br", body: Buffer.alloc(20, 0xff) },
	garbageBehind: { as: "gzip", body: Buffer.concat([zipped, Buffer.from("xx")]) },
	shortGzip: { as: "gzip", body: zipped.subarray(0, 15) },
	noChecksum: { as: "gzip", body: zipped.subarray(0, -2) },
	shortDeflate: { as: "deflate", body: deflateSync(TEXT).subarray(0, 8) },
	shortBrotli: { as: "br", body: brotliCompressSync(TEXT).subarray(0, 8) },
};

/** So many bytes of text that are few on the way. */
const compress: Record<string, (text: Buffer) => Buffer> = {
	gzip: (text) => gzipSync(text),
	"x-gzip": (text) => gzipSync(text),
	deflate: (text) => deflateSync(text),
	br: (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
	"gzip, gzip": (text) => gzipSync(gzipSync(text)),
};

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
	else page(request, response, decodeURIComponent(pathname.split("/")[2] ?? ""), searchParams);
}

type Page = (
	request: IncomingMessage,
	response: ServerResponse,
	argument: string,
	parameters: URLSearchParams,
) => void;

/** The first segment of the path names the page, the second is its argument. */
const pages: Record<string, Page> = {
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
	zipped(_, response, coding, parameters) {
		const text = Buffer.alloc(Number(parameters.get("bytes")), "x");
		response.writeHead(200, { "content-encoding": coding }).end(compress[coding]?.(text));
	},
	coded(_, response, name) {
		const { as = "", body } = codings[name] ?? {};
		response.setHeader("content-encoding", as).end(body);
	},
	/** A word at a time, each flushed: the coded form is longer than the text. */
	async words(_, response, words) {
		response.writeHead(200, { "content-encoding": "gzip" });
		const zip = createGzip();
		zip.pipe(response);
		for (let word = 0; word < Number(words); word++) {
			zip.write(String(word % 10).repeat(8));
			await new Promise<void>((resolve) => zip.flush(resolve));
		}
		zip.end();
	},
	/** 204 and 304 have no body, whatever their headers say. */
	bodiless(_, response, status) {
		response.writeHead(Number(status), { "content-encoding": "gzip" }).end();
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
		breaksOff: await start(
			createTcpServer((socket) => socket.once("data", (data) => breakOff(socket, data))),
		),
	});
	return () => {
		for (const server of servers) server.close();
		for (const socket of sockets) socket.destroy();
	};
}
