/** The rows of endpoints in D1: conversion between rows and records. */
import { liveSecretsSchema } from "../../crypto/live-secret.ts";
import { open, seal } from "../../crypto/seal.ts";
import type { Env } from "../../env.ts";
import { readColumn } from "../columns.ts";
import {
	ENDPOINT_STATUSES,
	type Completion,
	type Endpoint,
	type EndpointAuth,
	type EndpointStatus,
	type ReadableEndpoint,
} from "../records.ts";
import { type ReadAs, type Row, revisionOf } from "../rows.ts";
import {
	completionSchema,
	DEFAULT_COMPLETION,
	endpointAuthSchema,
	headersSchema,
	retryFromColumn,
} from "./endpoint-columns.ts";

/** The fields of an endpoint that can change. Name and version cannot. */
export type EndpointChanges = Partial<
	Omit<ReadableEndpoint, keyof ReadAs | "name" | "version" | "createdAt">
>;

export interface EndpointRow extends Row {
	id: string;
	name: string;
	version: string;
	url: string;
	protocol: string;
	auth: string;
	headers: string;
	timeout_seconds: number;
	max_concurrency: number;
	retry: string;
	signing_secrets: string;
	status: string;
	status_reason: string | null;
	model?: string | null;
	/** Sealed. null: not configured. */
	completion?: string | null;
	revision?: number;
	created_at: number;
	updated_at: number;
}

/** Returns the row, with sealed secrets. */
export async function endpointToRow(env: Env, endpoint: ReadableEndpoint): Promise<Row> {
	const { id, name, version, createdAt, updatedAt, ...fields } = endpoint;
	const columns = await endpointToColumns(env, fields);
	return { id, name, version, ...columns, created_at: createdAt, updated_at: updatedAt };
}

/** Returns the columns of the given fields. Headers are sealed too, because they often contain API keys. */
export async function endpointToColumns(env: Env, changes: EndpointChanges): Promise<Row> {
	const { auth, headers, retry, completion, signingSecrets, ...others } = changes;
	const { timeoutSeconds, maxConcurrency, statusReason, ...same } = others;
	return {
		...same,
		...(completion !== undefined && { completion: await completionToColumn(env, completion) }),
		...(auth !== undefined && { auth: await seal(env, JSON.stringify(auth)) }),
		...(headers !== undefined && { headers: await seal(env, JSON.stringify(headers)) }),
		...(retry !== undefined && { retry: JSON.stringify(retry) }),
		...(signingSecrets !== undefined && { signing_secrets: await seal(env, JSON.stringify(signingSecrets)) }),
		...(timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds }),
		...(maxConcurrency !== undefined && { max_concurrency: maxConcurrency }),
		...(statusReason !== undefined && { status_reason: statusReason }),
	};
}

/** A status that only a newer release knows is treated as one in which nothing is sent. */
export function endpointStatusFromColumn(status: string): EndpointStatus {
	return ENDPOINT_STATUSES.find((known) => known === status) ?? "paused";
}

export async function endpointFromRow(env: Env, row: EndpointRow): Promise<Endpoint> {
	const [auth, headers, signingSecrets, completion] = await Promise.all([
		open(env, row.auth),
		open(env, row.headers),
		open(env, row.signing_secrets),
		completionFromColumn(env, row.completion ?? null),
	]);
	return {
		id: row.id,
		name: row.name,
		version: row.version,
		url: row.url,
		protocol: row.protocol,
		model: row.model ?? null,
		auth: auth === null ? null : trimAuth(readColumn(endpointAuthSchema, auth)),
		headers: headers === null ? null : trimValues(readColumn(headersSchema, headers)),
		timeoutSeconds: row.timeout_seconds,
		maxConcurrency: row.max_concurrency,
		retry: retryFromColumn(row.retry),
		completion,
		signingSecrets: signingSecrets === null ? null : readColumn(liveSecretsSchema, signingSecrets),
		status: endpointStatusFromColumn(row.status),
		statusReason: row.status_reason,
		revision: revisionOf(row),
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	};
}

/** Returns null if nothing is configured, so that no encryption key is needed. */
async function completionToColumn(env: Env, completion: Completion | null): Promise<string | null> {
	const text = JSON.stringify(completion);
	return completion === null || text === JSON.stringify(DEFAULT_COMPLETION) ? null : seal(env, text);
}

async function completionFromColumn(env: Env, column: string | null): Promise<Completion | null> {
	if (column === null) return DEFAULT_COMPLETION;
	const opened = await open(env, column);
	return opened === null ? null : readColumn(completionSchema, opened);
}

/**
 * Trims header values, as HTTP does. Release 0.1 stored untrimmed values; to mask a value in an echoed response, the
 * router must know the form in which it arrives.
 */
function trimValues(headers: Record<string, string> | null): Record<string, string> | null {
	if (headers === null) return null;
	return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}

function trimAuth(auth: EndpointAuth | null): EndpointAuth | null {
	return auth?.type === "header" ? { ...auth, value: auth.value.trim() } : auth;
}
