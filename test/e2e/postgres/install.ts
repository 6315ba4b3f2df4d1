/** Databases for the suites here, and the SQL of a set-up run in them as a reader would run it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Api, Source } from "../support/api.ts";
import { findPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

/** null where no server is installed. */
export const binaries = findPostgres();
/** Whether a suite without a server fails instead of being skipped. */
export const isRequired = process.env["SLUICE_REQUIRE_POSTGRES"] === "1";

/** Where {@link binaries} is null, and a server is asked for all the same. */
export function missing(): Error {
	return new Error("SLUICE_REQUIRE_POSTGRES is set, but no PostgreSQL server was found.");
}

export interface Step {
	language: string;
	code: string;
}

export interface SetupVariant {
	name: string;
	steps: Step[];
	remove: Step;
}

const STOOD_IN_FOR = ["create extension if not exists pg_net;", "create extension if not exists http;"];

/** A database of its own, after files of this folder have been run in it that stand in for extensions. */
export async function openDatabase(
	{ connection }: PostgresServer,
	name: string,
	standIns: string[],
): Promise<Client> {
	await runIn({ ...connection }, [`create database ${name}`, `alter database ${name} set timezone = 'UTC'`]);
	const own = { ...connection, database: name };
	await runIn(
		own,
		await Promise.all(standIns.map((file) => readFile(join(import.meta.dirname, file), "utf8"))),
	);
	const database = new Client(own);
	await database.connect();
	return database;
}

/** In a session that ends with it: what the files set for the database counts from the next one on. */
async function runIn(connection: PostgresServer["connection"], statements: string[]): Promise<void> {
	const client = new Client(connection);
	await client.connect();
	for (const statement of statements) await client.query(statement);
	await client.end();
}

/** One variant of what `GET /v1/sources/{id}/setup` hands out. */
export async function readSetup(api: Api, source: Source, name: string): Promise<SetupVariant> {
	const path = `/v1/sources/${source.id}/setup`;
	const { variants } = await api.must<{ variants: SetupVariant[] }>("GET", path);
	const found = variants.find((variant) => variant.name === name);
	if (found === undefined) throw new Error(`The set-up has no variant ${name}.`);
	return found;
}

/** Runs the SQL of the steps with the secret put in, but for the extensions that are stood in for. */
export async function install(
	database: Client,
	{ steps }: SetupVariant,
	{ secret, isStoodIn }: { secret: string; isStoodIn: boolean },
): Promise<void> {
	for (const { language, code } of steps) {
		if (language !== "sql" || (isStoodIn && STOOD_IN_FOR.includes(code))) continue;
		await database.query(code.replaceAll("<SECRET>", secret));
	}
}
