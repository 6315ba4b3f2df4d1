/** Any sender of Standard Webhooks 1.0, including those that use Svix. Recommended format: `{type, timestamp, data}`. */
import * as z from "zod";
import { curlSetup } from "../setup/curl.ts";
import { isPublicKey } from "../../crypto/verify-standard-webhooks.ts";
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import { type ParseInput, type Parsed, type Setup, type SetupTarget, defineKind } from "../kind.ts";
import { canProve, takeSecretSteps } from "../setup/provider-secret.ts";
import { idFromHeader } from "../reading/publisher-id.ts";

const settingsSchema = z.strictObject({
	/** The members that say what the event is about. */
	subject: z
		.string()
		.max(256)
		.regex(/^(\/([^~/]|~[01])+)+$/, 'a JSON pointer such as "/data/id"')
		.optional(),
});

export const standardWebhooks = defineKind({
	defaultAuth: { type: "standard_webhooks" },
	settings: settingsSchema,
	parse,
	setup,
	sample: (now) => ({ headers: { "content-type": "application/json" }, body: exampleBody(now) }),
});

async function parse(input: ParseInput<z.output<typeof settingsSchema>>): Promise<Parsed> {
	const { source, settings, headers, body, now, freshId } = input;
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	// Checked separately: behind a proxy that has verified the request, the signature may be missing.
	const id = idFromHeader(headers, "webhook-id") ?? idFromHeader(headers, "svix-id");
	const timestamp = headers.get("webhook-timestamp") ?? headers.get("svix-timestamp");
	const { subject: pointer } = settings;
	const subject = pointer === undefined ? undefined : textAt(json, ...namesOf(pointer));
	const attributes = {
		id: id ?? freshId,
		source: sourcePath("webhook", source.name),
		type: textAt(json, "type") ?? source.name,
		...(subject !== undefined && { subject }),
		time: timeFrom(valueAt(json, "timestamp")) ?? timeFrom(timestamp) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** RFC 6901, section 4. */
function namesOf(pointer: string): string[] {
	const names = pointer.slice(1).split("/");
	return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function setup(target: SetupTarget): Setup {
	const { source, url, secret } = target;
	const form = ["Add an endpoint where the sender lets you", `Endpoint URL:  ${url}`];
	// With only the sender's public key, nobody can sign in its place.
	const holdsKey = !(source.secrets ?? []).some(({ value }) => isPublicKey(value));
	const byHand = holdsKey ? curlSetup(source.auth, url, secret, exampleBody()).variants : [];
	if (!canProve(source.auth, "standard_webhooks")) return { variants: byHand };
	return {
		variants: [
			{
				name: "console",
				title: "A sender with a portal, such as Svix",
				steps: [
					{ title: "Add an endpoint", language: "text", code: form.join("\n") },
					...takeSecretSteps(target, "whsec_… of the endpoint, or the sender's public key whpk_…"),
				],
			},
			...byHand,
		],
	};
}

function exampleBody(now?: number): string {
	const timestamp = now === undefined ? undefined : new Date(now).toISOString();
	const data = { id: "contact_1", email: "jenny.rosen@example.com" };
	return JSON.stringify({ type: "contact.created", timestamp, data });
}
