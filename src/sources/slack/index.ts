/**
 * Slack: the Events API as JSON; slash commands and interactions with buttons and dialogs as forms. Slack shows the body
 * of a response to its users, so the response is 200 without a body.
 */
import { refuse } from "../../http/refusal.ts";
import type { CloudEvent } from "../../events/event.ts";
import { readBody } from "../../http/read-body.ts";
import { sourcePath, timeFrom, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { isForm, readForm } from "../reading/form.ts";
import {
	idAt,
	type JsonObject,
	readJsonObject,
	readJsonRequest,
	textAt,
	valueAt,
} from "../reading/json-body.ts";
import {
	type ParseInput,
	type Parsed,
	type Sample,
	type Setup,
	type SetupTarget,
	defineKind,
	noSettings,
} from "../kind.ts";
import { canProve, takeSecretSteps } from "../setup/provider-secret.ts";
import { idFrom } from "../reading/publisher-id.ts";
import { setupAfterAuthChange } from "../setup/static-proof.ts";

export const slack = defineKind({
	settings: noSettings,
	defaultAuth: { type: "slack" },
	handshake,

	async parse(input) {
		if (isForm(input.headers)) return parseForm(input);
		const read = readJsonRequest(input);
		return read.ok ? parseEnvelope(read.json, input) : read;
	},

	setup,
	sample,
});

/** Slack's check has only a few fields. The limit is small because the request is unauthenticated. */
const MAX_SSL_CHECK_BYTES = 4_096;

/** Slack occasionally checks a command's URL with an unsigned form. */
async function handshake(request: Request): Promise<Response | null> {
	if (request.method !== "POST" || !isForm(request.headers)) return null;
	const read = await readBody(request.clone());
	// A body that is refused here is refused again when the request itself is read.
	if (!read.ok || read.body.byteLength > MAX_SSL_CHECK_BYTES) return null;
	const form = readForm(read.body);
	return form.ok && form.fields.get("ssl_check") === "1" ? new Response(null) : null;
}

/** https://docs.slack.dev/apis/events-api */
function parseEnvelope(json: JsonObject, input: ParseInput): Parsed {
	const type = textAt(json, "type");
	if (type === undefined) return refuse(400, "invalid_payload", "The body has no type.", "type");
	if (type === "url_verification") {
		const challenge = valueAt(json, "challenge");
		if (typeof challenge === "string") return acknowledge([], { challenge });
		return refuse(400, "invalid_payload", "The challenge is missing.", "challenge");
	}
	const name = type === "event_callback" ? textAt(json, "event", "type") : type;
	if (name === undefined) return refuse(400, "invalid_payload", "The event has no type.", "event.type");
	const event = eventOf(json, input, {
		// Slack's retries have the same event_id. The notice of a rate limit has none.
		id: idAt(json, "event_id") ?? contentHash(json.text),
		type: name,
		team: textAt(json, "team_id"),
		subject: channelOf(json),
		time: timeFrom(valueAt(json, "event_time")),
	});
	return acknowledge([event]);
}

/** The channel where it happened. For events about a channel, that channel. */
function channelOf(json: JsonObject): string | undefined {
	return (
		textAt(json, "event", "channel") ??
		textAt(json, "event", "channel", "id") ??
		textAt(json, "event", "channel_id") ??
		textAt(json, "event", "item", "channel")
	);
}

function parseForm(input: ParseInput): Parsed {
	const form = readForm(input.body);
	if (!form.ok) return form;
	const { fields, text } = form;
	const payload = fields.get("payload");
	if (payload !== undefined) return parseInteraction(payload, input);
	const command = usableText(fields.get("command"));
	if (command === undefined) {
		return refuse(
			400,
			"invalid_payload",
			"The form is neither a slash command nor an interaction.",
			"command",
		);
	}
	const { source, now } = input;
	const attributes = {
		id: idFrom(fields.get("trigger_id")) ?? contentHash(text),
		source: sourcePath("slack", usableText(fields.get("team_id")) ?? source.name),
		type: "com.slack.command",
		subject: command,
		time: new Date(now).toISOString(),
		datacontenttype: "application/x-www-form-urlencoded",
	};
	return acknowledge([{ attributes, data: { kind: "text", text } }]);
}

/** https://docs.slack.dev/interactivity/handling-user-interaction: JSON in a field of a form. */
function parseInteraction(payload: string, input: ParseInput): Parsed {
	const read = readJsonObject(new TextEncoder().encode(payload));
	if (!read.ok) return read;
	const { json } = read;
	const type = textAt(json, "type");
	if (type === undefined) return refuse(400, "invalid_payload", "The payload has no type.", "payload.type");
	const event = eventOf(json, input, {
		id: idAt(json, "trigger_id") ?? contentHash(json.text),
		type,
		team: textAt(json, "team", "id"),
		subject: textAt(json, "channel", "id"),
		time: undefined,
	});
	return acknowledge([event]);
}

interface Read {
	id: string;
	type: string;
	team: string | undefined;
	subject: string | undefined;
	time: string | undefined;
}

function eventOf(json: JsonObject, { source, now }: ParseInput, read: Read): CloudEvent {
	const attributes = {
		id: read.id,
		source: sourcePath("slack", read.team ?? source.name),
		type: `com.slack.${read.type}`,
		...(read.subject !== undefined && { subject: read.subject }),
		time: read.time ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { attributes, data: { kind: "json", text: json.text } };
}

function acknowledge(events: CloudEvent[], body: unknown = null): Parsed {
	return { ok: true, events, batch: false, reply: { status: 200, body } };
}

function setup(target: SetupTarget): Setup {
	if (!canProve(target.source.auth, "slack"))
		return setupAfterAuthChange(target, { auth: { type: "slack" } });
	const manifest = {
		display_information: { name: "Sluice" },
		features: { bot_user: { display_name: "Sluice" } },
		oauth_config: { scopes: { bot: ["app_mentions:read", "channels:history"] } },
		settings: {
			event_subscriptions: {
				request_url: target.url,
				bot_events: ["app_mention", "message.channels"],
			},
		},
	};
	return {
		variants: [
			{
				name: "manifest",
				title: "A Slack app. Set the secret first, because Slack signs the challenge too",
				steps: [
					...takeSecretSteps(target, "api.slack.com/apps → Basic Information → Signing Secret"),
					{
						title: "Merge this into the App Manifest, save it, and reinstall the app",
						language: "json",
						code: JSON.stringify(manifest, null, 2),
					},
				],
				remove: {
					title: "Stop the events",
					language: "text",
					code: "api.slack.com/apps → the app → Event Subscriptions → Enable Events: off",
				},
			},
		],
	};
}

function sample(now: number): Sample {
	const seconds = Math.floor(now / 1000);
	const event = {
		type: "app_mention",
		user: "U061F7AUR",
		text: "<@U0LAN0Z89> is it everything a river should be?",
		ts: `${seconds}.000200`,
		channel: "C0LAN2Q65",
		event_ts: `${seconds}.000200`,
	};
	const envelope = {
		team_id: "T061EG9RZ",
		api_app_id: "A0FFV41KK",
		event,
		type: "event_callback",
		event_id: `Ev${now.toString(36).toUpperCase()}`,
		event_time: seconds,
	};
	return { headers: { "content-type": "application/json" }, body: JSON.stringify(envelope) };
}
