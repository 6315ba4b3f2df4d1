/**
 * What a source kind is: how one sort of publisher proves itself by default, how its requests become CloudEvents,
 * and how the publisher is set up. A kind is one file beside this one and one line in the registry.
 */
import type * as z from "zod";
import type { CloudEvent } from "../events/event.ts";
import type { Refusal } from "../http/refusal.ts";
import type { Source, SourceAuth, SourceAuthType } from "../store/records.ts";

/** A verified request. */
export interface ParseInput {
	source: Source;
	headers: Headers;
	body: Uint8Array;
	/** When it was received, ms since the epoch. */
	now: number;
	/** A new UUID, for an event whose publisher gave it no id. */
	freshId: string;
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

export interface SourceKind {
	/** The proof a new source asks for unless its creator names another. */
	readonly defaultAuth: SourceAuth;
	/** The proofs it takes. Without this: all but those whose settings another kind has. */
	readonly auths?: readonly SourceAuthType[];
	/**
	 * How events come when nobody posts them: the router fetches them from a queue of the publisher ("pull"), or
	 * the Worker consumes a queue of Cloudflare ("queue"). `parse` then gets one message as the body.
	 */
	readonly transport?: "pull" | "queue";
	/** What a source of this kind is told in `settings`; without a schema it takes none. */
	readonly settings?: z.ZodType<Record<string, unknown>>;
	/** Whether `event_type`, `subject` and `dedupe_key` are the source's to say; else the kind knows them. */
	readonly namesEvents?: boolean;
	/** Never throws on anything a publisher can send. */
	parse(input: ParseInput): Promise<Parsed>;
	/** The response to a request that asks for consent before events are sent; null when the request is none. */
	handshake?(request: Request): Response | null | Promise<Response | null>;
	/** How the publisher is made to send to `target`. */
	setup(target: SetupTarget): Setup;
	/** A request as this publisher sends it to a source with these settings, without its proof. `now` in ms. */
	sample(now: number, settings: Source["settings"]): Sample;
}

export interface SetupTarget {
	source: Source;
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
