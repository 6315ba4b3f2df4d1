/** `/v1/endpoints`: the model versions that events can be sent to. */
import { Hono } from "hono";
import { generateSigningSecret, refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import { Problem } from "../../http/problem.ts";
import {
	deleteEndpoint,
	findEndpoint,
	listEndpoints,
	parseEndpointRef,
} from "../../store/resources/endpoints.ts";
import { recordChange } from "../access/audit.ts";
import { ownRows, requireOwnName } from "../access/own.ts";
import { checkFields, invalidRequest, readJson, readOptionalJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { blockedToWire } from "./blocked.ts";
import { type EndpointInput, refuse, replaceEndpoint, siteOf, withStoredAuth } from "./draft.ts";
import { healthQuery, healthToWire } from "./health.ts";
import { tellDeleted } from "../deliveries/dispatchers.ts";
import { createEndpointSchema, endpointToAudit, endpointToWire, patchEndpointSchema } from "./fields.ts";
import { endpointListQuery, endpointsMatching, hasStatus } from "./list.ts";
import { endpointNotFound, getEndpoint } from "./lookup.ts";
import { patchEndpoint } from "./patch.ts";
import { testEndpoint } from "./test.ts";
import { readPage } from "../http/pages.ts";
import { deletableAs, overtaken, setEtag } from "../http/preconditions.ts";
import { putRecord } from "../http/put.ts";
import { readQuery } from "../http/query.ts";
import { rotateSecrets, rotationSchema } from "../fields/secrets.ts";
import { isLost } from "../http/writes.ts";
import { changeEndpoint, createEndpoint, versionTaken } from "./write.ts";

export const endpoints = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createEndpointSchema);
		requireOwnName(c.var, "endpoints", input.name);
		const created = await createEndpoint(c, input);
		if (created === null) throw versionTaken(input);
		return created;
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(
			c,
			"endpoints",
			(page, query) =>
				listEndpoints(c.env, {
					...page,
					where: [...ownRows(c.var, "endpoints"), ...endpointsMatching(query)],
				}),
			endpointListQuery,
			hasStatus,
		);
		return c.json({ data: items.map(endpointToWire), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		setEtag(c, endpoint);
		return c.json({ ...endpointToWire(endpoint), ...(await blockedToWire(c.env, endpoint)) });
	})
	.put("/:ref", async (c) => {
		const ref = c.req.param("ref");
		return putRecord(c, ref, {
			find: findEndpoint,
			missing: endpointNotFound,
			identity: identityIn,
			identityOf: ({ name, version }) => ({ name, version }),
			create: (body) => {
				const input = checkFields(body, createEndpointSchema);
				requireOwnName(c.var, "endpoints", input.name);
				return createEndpoint(c, input);
			},
			replace: async ({ id }, body) => {
				const site = await siteOf(c.env, c.req.url);
				const endpoint = await changeEndpoint(c, id, "update", (former) => {
					requireOwnName(c.var, "endpoints", former.name);
					const input = checkFields(withStoredAuth(body, former), createEndpointSchema);
					refuseOtherIdentity(former, input);
					return replaceEndpoint(former, input, site, Date.now());
				});
				return c.json(endpointToWire(endpoint));
			},
		});
	})
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchEndpointSchema);
		const site = await siteOf(c.env, c.req.url);
		const endpoint = await changeEndpoint(c, c.req.param("ref"), "update", (former) =>
			patchEndpoint(former, input, site),
		);
		return c.json(endpointToWire(endpoint));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const endpoint = await findEndpoint(c.env, ref);
		const id = endpoint?.id ?? ((await isLost(c.env, "ep", ref)) ? ref : null);
		if (id === null) throw endpointNotFound();
		const asRead = deletableAs(c.req.raw.headers, endpoint);
		const { usedBy, isChanged } = await deleteEndpoint(c.env, id, asRead);
		if (isChanged) throw overtaken();
		if (usedBy.length > 0) {
			throw new Problem(
				409,
				"endpoint_in_use",
				`Delete the subscriptions to it first, or let them target another endpoint: ${usedBy.join(", ")}.`,
			);
		}
		const before = endpoint && endpointToAudit(endpoint);
		await recordChange(c, { action: "delete", resource: "endpoint", before, after: null, id });
		await tellDeleted(c.env, id);
		return c.body(null, 204);
	})
	.post("/:ref/secret/rotate", async (c) => {
		const input = await readOptionalJson(c.req.raw, rotationSchema);
		const secret = input.secret ?? generateSigningSecret();
		const refusal = refuseSigningSecret(secret);
		if (refusal !== null) throw invalidRequest([{ path: "secret", message: refusal }]);
		const graceSeconds = input.grace_period_seconds;
		const endpoint = await changeEndpoint(c, c.req.param("ref"), "rotate_secret", ({ signingSecrets }) => ({
			signingSecrets: rotateSecrets(signingSecrets, secret, { now: Date.now(), graceSeconds }),
		}));
		return c.json({ ...endpointToWire(endpoint), signing_secret: secret });
	})
	.post("/:ref/pause", async (c) => {
		// An endpoint that is already stopped keeps its own reason.
		const endpoint = await changeEndpoint(c, c.req.param("ref"), "pause", ({ status }) =>
			status === "active" ? { status: "paused", statusReason: "manual" } : null,
		);
		return c.json(endpointToWire(endpoint));
	})
	.post("/:ref/resume", async (c) => {
		const resumed = { status: "active", statusReason: null } as const;
		return c.json(endpointToWire(await changeEndpoint(c, c.req.param("ref"), "resume", () => resumed)));
	})
	.get("/:ref/health", async (c) => {
		const { probe } = readQuery(c, healthQuery);
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		return c.json(await healthToWire(c.env, endpoint, { url: c.req.url, isProbed: probe === "true" }));
	})
	.post("/:ref/test", async (c) => {
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		return c.body(await testEndpoint(c.env, endpoint, c.req.raw, c.var), 200, {
			"content-type": "application/json",
		});
	});

/**
 * Name and version, or null for an id. Throws 422 for a path that stands for the latest version.
 */
function identityIn(ref: string): Record<string, string> | null {
	const parsed = parseEndpointRef(ref);
	if ("id" in parsed) return null;
	if ("version" in parsed) return parsed;
	const message = `must be in the path, as in ${parsed.latestOf}@1, because ${ref} stands for the latest version, whichever that is`;
	throw invalidRequest([{ path: "version", message }]);
}

function refuseOtherIdentity(former: { name: string; version: string }, input: EndpointInput): void {
	const { name, version } = former;
	refuse([
		...(input.name === name ? [] : [{ path: "name", message: `is ${name}, and cannot change` }]),
		...(input.version === version ? [] : [{ path: "version", message: `is ${version}, and cannot change` }]),
	]);
}
