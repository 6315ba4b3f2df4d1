/**
 * The interface of a source kind: how one type of publisher authenticates by default, how its requests become
 * CloudEvents, and how to set the publisher up. A kind is a folder next to this file and a line in the registry.
 */
import * as z from "zod";
import type { CloudEvent } from "../events/event.ts";
import type { Refusal } from "../http/refusal.ts";
import {
	type KnownSource,
	type Source,
	type SourceAuth,
	type SourceAuthType,
	isKnown,
} from "../store/records.ts";
import type { Wanted } from "./reading/large/abridger.ts";
import type { Part } from "./reading/large/cutter.ts";
import { settingsUnreadable } from "./stopped.ts";

/** A verified request. */
export interface ParseInput<S = unknown> extends KindRequest {
	source: KnownSource;
	/** The source's settings, parsed by the kind's schema. */
	settings: S;
}

export interface KindRequest {
	headers: Headers;
	body: Uint8Array;
	/** When it was received, ms since the epoch. */
	now: number;
	/** A new UUID, for an event without an id from its publisher. */
	freshId: string;
	/** Set if `body` is part of a body above the limit; only for kinds with `large`. */
	part?: Omit<Part, "body">;
}

export type Parsed =
	| {
			ok: true;
			/** May be empty: a ping, a handshake or a test message. */
			events: CloudEvent[];
			/** Whether the publisher sent a list, and so gets a list in the response. */
			batch: boolean;
			/** Settings whose expression returned no usable value; for the log. */
			unresolved?: readonly string[];
			/** The response that this publisher needs instead of 202 with the ids. */
			reply?: Reply;
	  }
	| Refusal;

/** `body` is sent as JSON. null: no body. */
export interface Reply {
	status: number;
	headers?: Record<string, string>;
	body: unknown;
}

/** The properties of a kind that do not depend on its settings. */
interface KindTraits {
	/** The auth of a new source unless its creator sets another. */
	readonly defaultAuth: SourceAuth;
	/** The auth types it accepts. Default: all except those that need another kind's settings. */
	readonly auths?: readonly SourceAuthType[];
	/**
	 * How events arrive if not by requests: the router polls a queue of the publisher ("pull"), or the Worker consumes
	 * a Cloudflare queue ("queue"). `parse` then gets one message as the body.
	 */
	readonly transport?: "pull" | "queue";
	/** Whether the source configures `event_type`, `subject` and `dedupe_key`; otherwise the kind derives them. */
	readonly namesEvents?: boolean;
	/**
	 * Returns the response to a handshake request, which asks for consent before events are sent, or null for others.
	 */
	handshake?(request: Request): Response | null | Promise<Response | null>;
}

type Settings = z.ZodType<Record<string, unknown>>;

/** A kind as its file defines it. */
export interface KindDefinition<S extends Settings> extends KindTraits {
	/** The schema of `settings` in the API, with defaults. */
	readonly settings: S;
	/** The schema of stored settings. Default: `settings`, but ignoring unknown members. */
	readonly stored?: z.ZodType<z.output<S>>;
	/** Converts a request to events. Must not throw on any input. */
	readonly parse: (input: ParseInput<z.output<S>>) => Promise<Parsed>;
	/** Returns the instructions to make the publisher send to `target`. */
	readonly setup: (target: SetupTarget<z.output<S>>) => Setup;
	/** Returns a sample request from this publisher to `source`, without authentication. `now` in ms. */
	readonly sample: (now: number, settings: z.output<S>, source: KnownSource) => Sample;
	/**
	 * For publishers that stop after a refusal: bodies above the limit are read in parts, and this defines what is kept
	 * of a record that is too large by itself. Without it, such bodies are refused with 413.
	 */
	readonly large?: (settings: z.output<S>) => Wanted;
	/** The maximum age of a Standard Webhooks signature, for publishers that sign before they queue. */
	readonly maxAgeSeconds?: (settings: z.output<S>) => number;
}

/** A kind as the rest of the router uses it. */
export interface SourceKind extends KindTraits {
	/** Validates new `settings` and fills in the defaults. */
	readonly settings: Settings;
	/**
	 * Binds the kind to a source. Refuses with 503 `settings_unreadable` if this release cannot read the source's
	 * stored settings.
	 */
	bind(source: Source): ({ ok: true } & BoundKind) | Refusal;
}

export interface BoundKind {
	/** Converts a request to events. Never throws. */
	parse(request: KindRequest): Promise<Parsed>;
	setup(target: Omit<SetupTarget, "source" | "settings">): Setup;
	sample(now: number): Sample;
	/** null: bodies above the limit are refused. */
	large: Wanted | null;
	/** The maximum age of a Standard Webhooks signature. undefined: the default. */
	maxAgeSeconds?: number | undefined;
}

/** For kinds without settings. */
export const noSettings = z.strictObject({});

/** Creates a kind. Parses a source's settings in one place, so that the definition gets them typed and valid. */
export function defineKind<S extends Settings>(definition: KindDefinition<S>): SourceKind {
	const {
		settings: written,
		stored = ignoringUnknown(written),
		parse,
		setup,
		sample,
		large,
		maxAgeSeconds,
		...traits
	} = definition;
	return {
		...traits,
		settings: written,
		bind(source) {
			const read = stored.safeParse(source.settings);
			if (!read.success || !isKnown(source)) return settingsUnreadable();
			const settings = read.data;
			return {
				ok: true,
				parse: (request) => parse({ ...request, source, settings }),
				setup: (target) => setup({ ...target, source, settings }),
				sample: (now) => sample(now, settings, source),
				large: large?.(settings) ?? null,
				maxAgeSeconds: maxAgeSeconds?.(settings),
			};
		},
	};
}

/** Ignores unknown members, because a newer release may have stored them. */
function ignoringUnknown<S extends Settings>(schema: S): S {
	return schema instanceof z.ZodObject ? (schema.strip() as unknown as S) : schema;
}

export interface SetupTarget<S = unknown> {
	source: KnownSource;
	settings: S;
	/** The ingest URL. For auth `url_token`, the placeholder is its token. */
	url: string;
	/** The placeholder for the secret: the secret itself is shown only when it is created. */
	secret: string;
}

/** The ways to set the publisher up. One of them is enough. */
export interface Setup {
	variants: SetupVariant[];
}

export interface SetupVariant {
	/** A short name: "pg_net", "aws-cli", "console". */
	name: string;
	/** When to choose this one. */
	title: string;
	/** In order. Running them twice is safe. */
	steps: SetupStep[];
	/** The step that removes everything again. */
	remove?: SetupStep;
}

export interface SetupStep {
	title: string;
	language: "sql" | "shell" | "json" | "javascript" | "properties" | "toml" | "text";
	/** Code to copy after replacing the placeholder. */
	code: string;
}

export interface Sample {
	headers: Record<string, string>;
	body: string;
}

/** The placeholder for the source's secret in set-up texts. */
export const SECRET_PLACEHOLDER = "<SECRET>";
