/** Finds the endpoint that a path names. */
import type { Env } from "../../env.ts";
import { Problem } from "../../http/problem.ts";
import { findEndpoint } from "../../store/resources/endpoints.ts";
import type { Endpoint } from "../../store/records.ts";

/** Throws 404 `endpoint_not_found`. */
export async function getEndpoint(env: Env, ref: string): Promise<Endpoint> {
	const endpoint = await findEndpoint(env, ref);
	if (endpoint === null) throw endpointNotFound();
	return endpoint;
}

export function endpointNotFound(): Problem {
	return new Problem(404, "endpoint_not_found", "There is no endpoint with this id, name or version.");
}
