/** Shopify webhooks. The headers contain the event type, the body only the resource. */
import { refuse } from "../../http/refusal.ts";
import { sourcePath, timeFrom, usableText } from "../reading/attribute-values.ts";
import { readJsonRequest, textAt } from "../reading/json-body.ts";
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
import { idFromHeader } from "../reading/publisher-id.ts";
import { setupAfterAuthChange } from "../setup/static-proof.ts";

export const shopify = defineKind({
	settings: noSettings,
	defaultAuth: { type: "shopify" },
	parse,
	setup,
	sample,
});

async function parse({ source, headers, body, now, freshId }: ParseInput): Promise<Parsed> {
	const topic = headers.get("x-shopify-topic");
	if (topic === null || !/^[\w./-]{1,200}$/.test(topic)) {
		return refuse(
			400,
			"missing_header",
			"The header X-Shopify-Topic is missing or invalid.",
			"x-shopify-topic",
		);
	}
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const subject = textAt(json, "id") ?? textAt(json, "admin_graphql_api_id");
	const attributes = {
		id: idFromHeader(headers, "x-shopify-webhook-id") ?? freshId,
		source: sourcePath("shopify", usableText(headers.get("x-shopify-shop-domain")) ?? source.name),
		type: `com.shopify.${topic.replaceAll("/", ".")}`,
		...(subject !== undefined && { subject }),
		time: timeFrom(headers.get("x-shopify-triggered-at")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	const events = [{ attributes, data: { kind: "json", text: json.text } as const }];
	return { ok: true, events, batch: false, reply: { status: 200, body: null } };
}

function setup(target: SetupTarget): Setup {
	const { source, url } = target;
	if (!canProve(source.auth, "shopify")) return setupAfterAuthChange(target, { auth: { type: "shopify" } });
	const toml = [
		"[webhooks]",
		'api_version = "2026-07"',
		"",
		"  [[webhooks.subscriptions]]",
		'  topics = ["orders/create", "products/update"]',
		`  uri = "${url}"`,
	];
	const form = [
		"Shopify admin → Settings → Notifications → Webhooks → Create webhook",
		"Format:  JSON",
		`URL:     ${url}`,
	];
	const removal = [
		"Remove the [[webhooks.subscriptions]] block from shopify.app.toml, then:",
		"shopify app deploy",
	];
	return {
		variants: [
			{
				name: "app",
				title: "Your own app; Shopify signs with the app's client secret",
				steps: [
					...takeSecretSteps(target, "Client secret of the app in the Dev Dashboard"),
					{ title: "Add to shopify.app.toml", language: "toml", code: toml.join("\n") },
					{ title: "Release it", language: "shell", code: "shopify app deploy" },
				],
				remove: { title: "Unsubscribe", language: "text", code: removal.join("\n") },
			},
			{
				name: "console",
				title: "By hand for one shop",
				steps: [
					{ title: "Create a webhook for each event", language: "text", code: form.join("\n") },
					...takeSecretSteps(target, 'Below the list: "Your webhooks will be signed with"'),
				],
			},
		],
	};
}

function sample(now: number): Sample {
	const at = new Date(now).toISOString();
	const order = {
		admin_graphql_api_id: "gid://shopify/Order/820982911946154508",
		created_at: at,
		currency: "USD",
		email: "jon@example.com",
		total_price: "388.00",
		line_items: [{ title: "IPod Nano - 8GB", quantity: 1, price: "199.00" }],
	};
	return {
		headers: {
			"content-type": "application/json",
			"user-agent": "Shopify-Captain-Hook",
			"x-shopify-api-version": "2026-07",
			"x-shopify-shop-domain": "sluice-sample.myshopify.com",
			"x-shopify-topic": "orders/create",
			"x-shopify-triggered-at": at,
			"x-shopify-webhook-id": crypto.randomUUID(),
		},
		// Shopify's ids can exceed what a JavaScript number can hold.
		body: `{"id":820982911946154508,${JSON.stringify(order).slice(1)}`,
	};
}
