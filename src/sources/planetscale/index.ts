/** PlanetScale's webhooks (https://planetscale.com/docs/api/webhook-events): the status of databases, never rows. */
import { sourcePath, timeFrom } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, readJsonRequest, textAt, valueAt } from "../reading/json-body.ts";
import { refuse } from "../../http/refusal.ts";
import type { SourceAuth } from "../../store/records.ts";
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

const SIGNATURE: SourceAuth = {
	type: "hmac",
	header: "X-PlanetScale-Signature",
	algorithm: "sha256",
	encoding: "hex",
	prefix: "",
};

export const planetscale = defineKind({
	settings: noSettings,
	defaultAuth: SIGNATURE,
	parse,
	setup,
	sample,
});

async function parse({ source, headers, body, now }: ParseInput): Promise<Parsed> {
	const read = readJsonRequest({ headers, body });
	if (!read.ok) return read;
	const { json } = read;
	const event = textAt(json, "event");
	if (event === undefined) {
		return refuse(400, "invalid_payload", '"event" must name the event.', "event");
	}
	if (event === "webhook.test") {
		return { ok: true, events: [], batch: false, reply: { status: 200, body: null } };
	}
	const subject = textAt(json, "resource", "id");
	const organization = textAt(json, "organization");
	const database = textAt(json, "database");
	const isNamed = organization !== undefined && database !== undefined;
	const attributes = {
		id: contentId(json, event),
		source: sourcePath("planetscale", ...(isNamed ? [organization, database] : [source.name])),
		type: `com.planetscale.${event}`,
		...(subject !== undefined && { subject }),
		time: timeFrom(valueAt(json, "timestamp")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { ok: true, events: [{ attributes, data: { kind: "json", text: json.text } }], batch: false };
}

/** PlanetScale has no event ids: equal events of the same resource within one second are one event. */
function contentId(json: JsonObject, event: string): string {
	const resource = textAt(json, "resource", "id");
	const timestamp = textAt(json, "timestamp");
	if (resource === undefined || timestamp === undefined) return contentHash(json.text);
	return contentHash(event, timestamp, resource);
}

function setup(target: SetupTarget): Setup {
	const { source, url } = target;
	if (!canProve(source.auth, SIGNATURE.type)) return setupAfterAuthChange(target, { auth: SIGNATURE });
	const names = "database=DATABASE org=ORGANIZATION";
	const events = "branch.ready,deploy_request.opened,deploy_request.schema_applied,deploy_request.closed";
	const idOfUrl = `pscale webhook list "$database" --org "$org" --format json |
  jq -r '.[] | select(.url == "${url}") | .id'`;
	const create = `${names}
id=$(${idOfUrl})
test -n "$id" || id=$(pscale webhook create "$database" --org "$org" --format json \\
  --url '${url}' --events ${events} | jq -r .id)
pscale webhook show "$database" "$id" --org "$org" --format json`;
	const enable = `pscale webhook update "$database" "$id" --org "$org" --enabled
pscale webhook test "$database" "$id" --org "$org"`;
	const remove = `${names}
${idOfUrl} |
  while read -r id; do pscale webhook delete "$database" "$id" --org "$org"; done`;
	const form = `Database → Settings → Webhooks → Add webhook
URL:     ${url}
Events:  those you want`;
	return {
		variants: [
			{
				name: "pscale",
				title: "The PlanetScale CLI and jq",
				steps: [
					{ title: "Create the webhook and show its secret", language: "shell", code: create },
					...takeSecretSteps(target, "PlanetScale has made it"),
					{ title: "Enable the webhook, and send a test", language: "shell", code: enable },
				],
				remove: { title: "Delete the webhook", language: "shell", code: remove },
			},
			{
				name: "console",
				title: "By hand",
				steps: [
					{ title: "Add a webhook", language: "text", code: form },
					...takeSecretSteps(target, "Show secret, in the menu of the webhook"),
					{
						title: "Enable it, and test it",
						language: "text",
						code: "Enable, then Test webhook, in the same menu",
					},
				],
			},
		],
	};
}

function sample(now: number): Sample {
	const at = new Date(now).toISOString();
	const resource = {
		id: "ecrmjy2f4a5o",
		type: "Branch",
		name: "dev",
		created_at: at,
		updated_at: at,
		schema_last_updated_at: at,
		mysql_address: "us-east.connect.psdb.cloud",
		schema_ready: true,
		state: "ready",
		ready: true,
		production: false,
		sharded: false,
		shard_count: 0,
		actor: { id: "g2dr4sbhz6ag", type: "User", display_name: "PlanetScale Bot" },
		restored_from_branch: null,
		region: { id: "kc0e1ij8juzp", type: "Region", provider: "AWS", enabled: true, slug: "us-east" },
		parent_branch: "main",
	};
	const names = { organization: "my-org", database: "example_database" };
	const event = { timestamp: Math.floor(now / 1000), event: "branch.ready", ...names, resource };
	return {
		headers: { "content-type": "application/json", "user-agent": "PlanetScale-Webhooks/1.0" },
		body: JSON.stringify(event),
	};
}
