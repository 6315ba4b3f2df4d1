/**
 * What a source kind is: how one sort of publisher proves itself by default, how its requests become CloudEvents,
 * and how the publisher is set up. A kind is one file beside this one and one line in the registry.
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
	/** The source's settings as the kind's schema reads them. */
	settings: S;
}

export interface KindRequest {
	headers: Headers;
	body: Uint8Array;
	/** When it was received, ms since the epoch. */
	now: number;
	/** A new UUID, for an event whose publisher gave it no id. */
	freshId: string;
	/** Set when `body` is part of one that was above the limit; only for kinds with `large`. */
	part?: Omit<Part, "body">;
}

export type Parsed =
	| {
			ok: true;
			/** May be empty: a ping, a handshake, a test message that means nothing. */
			events: CloudEvent[];
			/** Whether the publisher sent a list, and so gets one in the response. */
			batch: boolean;
			/** Settings of the source whose expression gave nothing usable; for the log. */
			unresolved?: readonly string[];
			/** The response that this publisher needs where 202 with the ids would not do. */
			reply?: Reply;
	  }
	| Refusal;

/** `body` is sent as JSON; null sends none. */
export interface Reply {
	status: number;
	headers?: Record<string, string>;
	body: unknown;
}

/** What every kind says, whatever its settings are. */
interface KindTraits {
	/** The proof a new source asks for unless its creator names another. */
	readonly defaultAuth: SourceAuth;
	/** The proofs it takes. Without this: all but those whose settings another kind has. */
	readonly auths?: readonly SourceAuthType[];
	/**
	 * How events come when nobody posts them: the router fetches them from a queue of the publisher ("pull"), or
	 * the Worker consumes a queue of Cloudflare ("queue"). `parse` then gets one message as the body.
	 */
	readonly transport?: "pull" | "queue";
	/** Whether `event_type`, `subject` and `dedupe_key` are the source's to say; else the kind knows them. */
	readonly namesEvents?: boolean;
	/** The response to a request that asks for consent before events are sent; null when the request is none. */
	handshake?(request: Request): Response | null | Promise<Response | null>;
}

type Settings = z.ZodType<Record<string, unknown>>;

/** A kind as its file defines it. */
export interface KindDefinition<S extends Settings> extends KindTraits {
	/** What a source of this kind is told in `settings`, with its defaults: what the API takes. */
	readonly settings: S;
	/** How stored settings are read, where that is not by `settings` without its refusal of unknown members. */
	readonly stored?: z.ZodType<z.output<S>>;
	/** Never throws on anything a publisher can send. */
	readonly parse: (input: ParseInput<z.output<S>>) => Promise<Parsed>;
	/** How the publisher is made to send to `target`. */
	readonly setup: (target: SetupTarget<z.output<S>>) => Setup;
	/** A request as this publisher sends it to `source` with these settings, without its proof. `now` in ms. */
	readonly sample: (now: number, settings: z.output<S>, source: KnownSource) => Sample;
	/**
	 * For publishers that would stop at a refusal: bodies above the limit are taken in parts, and this says what is
	 * kept of a record that is too large by itself. Without it they are refused with 413.
	 */
	readonly large?: (settings: z.output<S>) => Wanted;
	/** How long ago a Standard Webhooks signature may have been made, for publishers that sign before they queue. */
	readonly maxAgeSeconds?: (settings: z.output<S>) => number;
}

/** A kind as the rest of the router knows it. */
export interface SourceKind extends KindTraits {
	/** Judges `settings` that are written, and fills in the defaults. */
	readonly settings: Settings;
	/**
	 * The kind for one source. Refuses with 503 `settings_unreadable` when another release has stored the source's
	 * settings in a form that this one cannot read.
	 */
	bind(source: Source): ({ ok: true } & BoundKind) | Refusal;
}

export interface BoundKind {
	/** Never throws on anything a publisher can send. */
	parse(request: KindRequest): Promise<Parsed>;
	setup(target: Omit<SetupTarget, "source" | "settings">): Setup;
	sample(now: number): Sample;
	/** null: bodies above the limit are refused. */
	large: Wanted | null;
	/** How long ago a Standard Webhooks signature may have been made; undefined: not longer than any other. */
	maxAgeSeconds?: number | undefined;
}

/** For kinds whose sources are told nothing. */
export const noSettings = z.strictObject({});

/** Reads a source's settings in one place, so that the definition gets them typed and never has to doubt them. */
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

/** A newer release may have stored members that this one does not know: they are left out, not refused. */
function ignoringUnknown<S extends Settings>(schema: S): S {
	return schema instanceof z.ZodObject ? (schema.strip() as unknown as S) : schema;
}

export interface SetupTarget<S = unknown> {
	source: KnownSource;
	settings: S;
	/** The ingest URL; for auth `url_token` with the placeholder as its token. */
	url: string;
	/** Stands where the secret has to be put in: the secret itself is shown only when it is made. */
	secret: string;
}

/** Ways to set the publisher up; one of them is enough. */
export interface Setup {
	variants: SetupVariant[];
}

export interface SetupVariant {
	/** A short name: "pg_net", "aws-cli", "console". */
	name: string;
	/** When to choose this one. */
	title: string;
	/** In order. Running them twice does no harm. */
	steps: SetupStep[];
	/** What takes all of it away again. */
	remove?: SetupStep;
}

export interface SetupStep {
	title: string;
	language: "sql" | "shell" | "json" | "javascript" | "properties" | "toml" | "text";
	/** To be copied as it is, once the placeholder is replaced. */
	code: string;
}

export interface Sample {
	headers: Record<string, string>;
	body: string;
}

/** Stands in set-up texts where the source's secret belongs. */
export const SECRET_PLACEHOLDER = "<SECRET>";
