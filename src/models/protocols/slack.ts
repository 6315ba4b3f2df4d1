/**
 * Protocol `slack`: an incoming webhook of Slack, or of a compatible chat. A text becomes the
 * message, an object is the message itself, with blocks and any other fields; an event without a
 * transform is shown in a few readable lines. There is no output: the response is `ok`.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
import { Buffer } from "node:buffer";
import type { EventData, SluiceEvent } from "../../events/event.ts";
import { parseWithRawNumbers } from "../../events/json/parse.ts";
import { JSON_HEADERS } from "../requests/input.ts";
import type { Exchange, Reading } from "../exchange.ts";
import type { Protocol } from "../protocol.ts";
import { errorTextOf, isObject, isSuccess, objectIn, reading, textOf } from "../responses/reading.ts";

/** Slack truncates a message after this many characters. */
const MAX_TEXT = 40_000;
/**
 * Limits for attributes and data in the message about an event; Slack recommends messages below
 * 4,000 characters.
 */
const MAX_ATTRIBUTE = 300;
const MAX_DATA = 2_500;

export const slack: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	request({ event, transformed }, { url }) {
		const message =
			transformed === null ? { text: tell(event) } : messageOf(parseWithRawNumbers(transformed));
		if (message === null) {
			return { misfit: "a message must be a non-empty text, or an object such as {text} or {blocks}" };
		}
		return { method: "POST", url, headers: JSON_HEADERS, body: JSON.stringify(message) };
	},
	read(exchange) {
		const isRefused = isSuccess(exchange) && objectIn(exchange)?.["ok"] === false;
		if (isSuccess(exchange) && !isRefused) return reading();
		const error = saidBy(exchange);
		// The methods of Slack's API refuse with status 200, for example if there are no blocks to show.
		return reading({ class: classOf(error) ?? (isRefused ? "bad_input" : null), error });
	},
};

function messageOf(value: unknown): object | null {
	if (typeof value === "string") return value.trim() === "" ? null : { text: cut(value, MAX_TEXT) };
	return isObject(value) ? value : null;
}

/** The event's type, source, subject and data. */
function tell({ attributes, data }: SluiceEvent): string {
	const { type, source, subject } = attributes;
	const about = subject === undefined ? "" : `\n${plain(subject)}`;
	return `*${plain(type)}* from ${plain(source)}${about}${data === null ? "" : `\n${quote(data)}`}`;
}

function plain(text: string): string {
	return escape(cut(text.replaceAll(/\s+/g, " "), MAX_ATTRIBUTE));
}

function quote(data: EventData): string {
	if (data.kind === "binary") return `${Buffer.byteLength(data.base64, "base64")} bytes of binary data`;
	// Three backticks in the text would end the code block.
	return `\`\`\`\n${escape(cut(data.text, MAX_DATA).replaceAll("```", "'''"))}\n\`\`\``;
}

/** The three characters that Slack uses for links and mentions. */
function escape(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Never cuts inside a surrogate pair. */
function cut(text: string, length: number): string {
	if (text.length <= length) return text;
	return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/**
 * One word, such as `invalid_payload`, whatever the content type; proxies and outages send longer
 * bodies.
 */
function saidBy(exchange: Exchange): string | null {
	const text = textOf(exchange.body).trim();
	return /^[a-z_]{1,100}$/.test(text) ? text : errorTextOf(exchange);
}

/**
 * The webhook no longer exists, or not for this use: its URL has to be replaced, and the message is
 * not at fault.
 */
const NO_WEBHOOK =
	/^(?:no_service|no_service_id|no_team|no_active_hooks|invalid_token|team_disabled|channel_not_found|action_prohibited|posting_to_general_channel_denied)\b/;

function classOf(error: string | null): Reading["class"] {
	if (error === null) return null;
	if (NO_WEBHOOK.test(error)) return "unauthorized";
	return /^(?:rate_limited|ratelimited)\b/.test(error) ? "busy" : null;
}
