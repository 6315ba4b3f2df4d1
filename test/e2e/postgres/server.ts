/**
 * A real PostgreSQL server for one suite: its own cluster in a temporary folder, reachable only through a socket in
 * that folder. Nothing of a server that the machine may run is touched.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { until } from "../support/until.ts";

const DEBIAN_FOLDER = "/usr/lib/postgresql";
const run = promisify(execFile);

export interface PostgresServer {
	/** How a client reaches it, in the terms of the `pg` package. */
	connection: { host: string; user: string; database: string };
	stop(): Promise<void>;
}

/**
 * The folder of `initdb`, `postgres` and `pg_config`, or null when this machine has no server. Debian keeps them out of PATH,
 * one folder a version; the newest is taken.
 */
export function findPostgres(): string | null {
	const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
	const folders = [
		...(process.env["PATH"] ?? "").split(delimiter),
		...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN_FOLDER, version, "bin")),
	];
	return folders.find(holdsServer) ?? null;
}

function holdsServer(folder: string): boolean {
	return (
		folder !== "" && ["initdb", "postgres", "pg_config"].every((program) => existsSync(join(folder, program)))
	);
}

/**
 * Makes a cluster with the programs of `binaries` and starts it. The user `postgres` is let in without a password.
 * `hasPgNet`: whether the server seems to have loaded pg_net, whose worker pg-net-worker.ts stands in for.
 */
export async function startPostgres(binaries: string, { hasPgNet = true } = {}): Promise<PostgresServer> {
	const folder = await mkdtemp(join(tmpdir(), "sluice-pg-"));
	const [data, sockets] = [join(folder, "data"), join(folder, "s")];
	await mkdir(sockets);
	const identity = serverIdentity();
	for (const path of [folder, sockets]) {
		await chmod(path, 0o700);
		if (identity !== null) await chown(path, identity.uid, identity.gid);
	}
	const asServer = { cwd: folder, ...identity };

	const preloads = hasPgNet ? ["-c", `shared_preload_libraries=${await nameLibrary(binaries, folder)}`] : [];
	const settings = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
	await run(join(binaries, "initdb"), [`--pgdata=${data}`, ...settings], asServer);
	const server = spawn(
		join(binaries, "postgres"),
		["-D", data, "-k", sockets, "-c", "listen_addresses=", "-c", "fsync=off", ...preloads],
		{ ...asServer, stdio: ["ignore", "ignore", "pipe"] },
	);
	let log = "";
	server.stderr.on("data", (text: Buffer) => (log += text.toString()));
	const ended = once(server, "exit");

	const isReady = async () => {
		if (server.exitCode !== null) throw new Error(`postgres ended while starting:\n${log}`);
		// The server writes this word into its lock file when it takes connections.
		const lock = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
		return /^ready\s*$/m.test(lock) || null;
	};
	await until("PostgreSQL to start", isReady);

	return {
		connection: { host: sockets, user: "postgres", database: "postgres" },
		async stop() {
			// A fast shutdown: open sessions are ended, not waited for.
			server.kill("SIGINT");
			await ended;
			await rm(folder, { recursive: true, force: true });
		},
	};
}

/** A library that does nothing by itself, under the name of pg_net, as shared_preload_libraries takes it. */
async function nameLibrary(binaries: string, folder: string): Promise<string> {
	const { stdout } = await run(join(binaries, "pg_config"), ["--pkglibdir"]);
	const libraries = stdout.trim();
	const library = readdirSync(libraries).find((name) => name.startsWith("pgoutput."));
	if (library === undefined) throw new Error(`PostgreSQL has no pgoutput in ${libraries}.`);
	await symlink(join(libraries, library), join(folder, library.replace("pgoutput", "pg_net")));
	return join(folder, "pg_net");
}

/** PostgreSQL refuses to run as root; then it runs as the user its package made, or else as nobody. */
function serverIdentity(): { uid: number; gid: number } | null {
	if (process.getuid?.() !== 0) return null;
	for (const user of ["postgres", "nobody"]) {
		try {
			const id = (flag: string) =>
				Number(execFileSync("id", [flag, user], { stdio: ["ignore", "pipe", "ignore"] }));
			return { uid: id("-u"), gid: id("-g") };
		} catch {
			// This machine has no such user.
		}
	}
	throw new Error(
		"PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as.",
	);
}
