/** Stripe webhooks: snapshot events of API v1 and thin events of API v2. */
import { refuse } from "../../http/refusal.ts";
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { idAt, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
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
import { setupAfterAuthChange } from "../setup/static-proof.ts";

const API = "https://api.stripe.com/v1/webhook_endpoints";

export const stripe = defineKind({
	settings: noSettings,
	defaultAuth: { type: "stripe" },
	parse,
	setup,
	sample,
});

async function parse({ source, headers, body, now }: ParseInput): Promise<Parsed> {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const [id, type] = [idAt(json, "id"), textAt(json, "type")];
	if (id === undefined) return refuse(400, "invalid_payload", "The event has no id.", "id");
	if (type === undefined) return refuse(400, "invalid_payload", "The event has no type.", "type");
	const subject = textAt(json, "data", "object", "id") ?? textAt(json, "related_object", "id");
	const attributes = {
		id,
		// The connected account, on a platform or in a v2 event.
		source: sourcePath("stripe", textAt(json, "account") ?? textAt(json, "context") ?? source.name),
		type: `com.stripe.${type}`,
		...(subject !== undefined && { subject }),
		time: timeFrom(valueAt(json, "created")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

function setup(target: SetupTarget): Setup {
	const { source, url } = target;
	if (!canProve(source.auth, "stripe")) return setupAfterAuthChange(target, { auth: { type: "stripe" } });
	const ids = [
		`curl -s '${API}?limit=100' -u "$STRIPE_API_KEY:" |`,
		`  jq -r --arg url '${url}' '.data[] | select(.url == $url) | .id'`,
	];
	const create = [
		`id=$(${ids.join("\n")})`,
		`test -n "$id" || curl '${API}' -u "$STRIPE_API_KEY:" \\`,
		`  -d 'enabled_events[]=*' --data-urlencode 'url=${url}'`,
	];
	const remove = [
		`${ids.join("\n")} |`,
		`  while read -r id; do curl -X DELETE "${API}/$id" -u "$STRIPE_API_KEY:"; done`,
	];
	const form = ["Stripe Dashboard → Developers → Webhooks → Add destination", `Endpoint URL:  ${url}`];
	return {
		variants: [
			{
				name: "api",
				title: "Stripe's API with curl and jq; a second run finds the endpoint and creates none",
				steps: [
					{ title: "Create the webhook endpoint", language: "shell", code: create.join("\n") },
					...takeSecretSteps(target, "`secret` in the response"),
				],
				remove: { title: "Delete the webhook endpoint", language: "shell", code: remove.join("\n") },
			},
			{
				name: "console",
				title: "By hand",
				steps: [
					{ title: "Add an endpoint", language: "text", code: form.join("\n") },
					...takeSecretSteps(target, "Reveal the signing secret of the endpoint"),
				],
			},
		],
	};
}

function sample(now: number): Sample {
	const created = Math.floor(now / 1000);
	const customer = {
		id: "cus_NffrFeUfNV2Hib",
		object: "customer",
		created,
		email: "jenny.rosen@example.com",
	};
	const event = {
		id: `evt_sample${now}`,
		object: "event",
		api_version: "2026-09-30.clover",
		created,
		data: { object: customer },
		livemode: false,
		pending_webhooks: 1,
		request: { id: null, idempotency_key: null },
		type: "customer.created",
	};
	return {
		headers: { "content-type": "application/json; charset=utf-8", "user-agent": "Stripe/1.0" },
		body: JSON.stringify(event, null, 2),
	};
}
