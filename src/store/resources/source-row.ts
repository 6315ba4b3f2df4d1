/** The rows of sources in D1: conversion between rows and records. */
import * as z from "zod";
import { liveSecretsSchema } from "../../crypto/live-secret.ts";
import { open, seal } from "../../crypto/seal.ts";
import type { Env } from "../../env.ts";
import { readColumn } from "../columns.ts";
import { quarantineFromColumn, quarantineToColumn } from "../quarantines/quarantine.ts";
import type { ReadableSource, Source } from "../records.ts";
import { type ReadAs, type Row, revisionOf } from "../rows.ts";
import { hasSecret, sourceAuthSchema } from "./source-auth.ts";
import { AWAITING_VERIFICATION } from "./verification-token.ts";

/** The fields of a source that can change. */
export type SourceChanges = Partial<Omit<ReadableSource, keyof ReadAs | "createdAt">>;

/** The source's kind defines the members. */
export const settingsSchema = z.record(z.string(), z.unknown());

/** A paused source is stored as `disabled`, as in release 0.1, whose Workers may read it during a deploy. */
export const STORED_STATUSES = ["active", "disabled"] as const;
type StoredStatus = (typeof STORED_STATUSES)[number];

export interface SourceRow extends Row {
	id: string;
	name: string;
	kind: string;
	description: string | null;
	auth: string;
	event_type: string | null;
	subject: string | null;
	dedupe_key: string | null;
	/** Undefined before the schema step that adds it. */
	expect_every_seconds?: number | null;
	/** Undefined before the schema step that adds it. */
	is_test?: number | null;
	settings: string;
	secrets: string;
	status: string;
	revision?: number;
	/** Undefined before the schema step that adds it. */
	quarantine?: string | null;
	created_at: number;
	updated_at: number;
}

/** Returns the row, with sealed secrets. */
export async function sourceToRow(
	env: Env,
	{ id, createdAt, updatedAt, ...fields }: ReadableSource,
): Promise<Row> {
	const columns = await sourceToColumns(env, fields);
	return { id, ...columns, created_at: createdAt, updated_at: updatedAt };
}

export function toStoredStatus(status: Source["status"]): StoredStatus {
	return status === "active" ? "active" : "disabled";
}

export function fromStoredStatus(status: string): Source["status"] {
	return status === "active" ? "active" : "paused";
}

/** Returns the columns of the given fields. */
export async function sourceToColumns(env: Env, changes: SourceChanges): Promise<Row> {
	const {
		auth,
		secrets,
		eventType,
		dedupeKey,
		expectEverySeconds,
		isTest,
		settings,
		status,
		quarantine,
		...same
	} = changes;
	return {
		...same,
		...(auth !== undefined && { auth: JSON.stringify(auth), ...AWAITING_VERIFICATION }),
		...(eventType !== undefined && { event_type: eventType }),
		...(dedupeKey !== undefined && { dedupe_key: dedupeKey }),
		...(expectEverySeconds !== undefined && { expect_every_seconds: expectEverySeconds }),
		...(isTest !== undefined && { is_test: Number(isTest) }),
		...(settings !== undefined && { settings: JSON.stringify(settings) }),
		...(status !== undefined && { status: toStoredStatus(status) }),
		...(quarantine !== undefined && { quarantine: quarantineToColumn(quarantine) }),
		...(secrets !== undefined && { secrets: await seal(env, JSON.stringify(secrets)) }),
	};
}

export async function sourceFromRow(env: Env, row: SourceRow): Promise<Source> {
	const auth = readColumn(sourceAuthSchema, row.auth);
	// An auth type without a secret has nothing to decrypt.
	const secrets = auth === null || hasSecret(auth.type) ? await open(env, row.secrets) : "[]";
	return {
		id: row.id,
		name: row.name,
		kind: row.kind,
		description: row.description,
		auth,
		eventType: row.event_type,
		subject: row.subject,
		dedupeKey: row.dedupe_key,
		expectEverySeconds: row.expect_every_seconds ?? null,
		isTest: row.is_test === 1,
		settings: readColumn(settingsSchema, row.settings),
		secrets: secrets === null ? null : readColumn(liveSecretsSchema, secrets),
		status: fromStoredStatus(row.status),
		revision: revisionOf(row),
		quarantine: quarantineFromColumn(row.quarantine ?? null),
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	};
}
