/**
 * AWS Signature Version 4 for a complete request: reads region and service from AWS host names, and
 * builds the authentication headers. Pure except for the hashing.
 */
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { awsLabels, isAwsRegion } from "../../../http/aws-hosts.ts";
import type { AwsSigV4 } from "../../../store/records.ts";
import type { OutgoingRequest } from "../../rules/attempt.ts";

export interface AwsScope {
	region: string;
	service: string;
}

/** Services whose signing name differs from their host name. */
const SIGNING_NAMES = new Map([
	["bedrock-runtime", "bedrock"],
	["bedrock-agent", "bedrock"],
	["bedrock-agent-runtime", "bedrock"],
	["lambda-url", "lambda"],
	["queue", "sqs"],
]);

/** Region and service as the auth sets them, completed from the host; null if one of them is missing from both. */
export function awsScope(auth: Pick<AwsSigV4, "region" | "service">, url: string): AwsScope | null {
	const told = scopeOfHost(URL.parse(url)?.hostname ?? "");
	const region = auth.region ?? told?.region;
	const service = auth.service ?? told?.service;
	return region === undefined || service === undefined ? null : { region, service };
}

/**
 * `{…}.{service}.{region}.amazonaws.com`, optionally with `vpce` after the region; older hosts have
 * region and service swapped.
 */
function scopeOfHost(host: string): AwsScope | null {
	const labels = (awsLabels(host) ?? []).filter((label) => label !== "vpce" && label !== "dualstack");
	const at = labels.findLastIndex(isAwsRegion);
	const region = labels[at];
	const label = labels[at - 1] ?? labels[at + 1];
	if (region === undefined || label === undefined) return null;
	const name = label.replace(/-fips$/, "");
	return { region, service: SIGNING_NAMES.get(name) ?? name };
}

/**
 * Returns the request with the headers of a signature over its method, URL, bytes, host,
 * `content-type` and `x-amz-…`. Other headers are not signed, because proxies may change them.
 * `now` in ms since the epoch.
 */
export async function signAws(
	request: OutgoingRequest,
	auth: AwsSigV4,
	scope: AwsScope,
	now: number,
): Promise<OutgoingRequest> {
	const { method, headers, body } = request;
	const url = withoutPlus(request.url);
	const covered = Object.entries(headers).filter(
		([name]) => name === "content-type" || name.startsWith("x-amz-"),
	);
	const signer = new AwsV4Signer({
		url,
		method,
		...(body !== null && { body }),
		headers: {
			...Object.fromEntries(covered),
			...(scope.service === "s3" && hashHeader(body ?? new Uint8Array())),
		},
		accessKeyId: auth.accessKeyId,
		secretAccessKey: auth.secretAccessKey,
		...(auth.sessionToken !== undefined && { sessionToken: auth.sessionToken }),
		...scope,
		datetime: new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
		allHeaders: true,
	});
	const signed = Object.fromEntries((await signer.sign()).headers);
	const authorization = signed["authorization"] ?? "";
	const signature = authorization.slice(authorization.lastIndexOf("=") + 1);
	return {
		...request,
		url,
		headers: { ...headers, ...signed },
		secrets: [...(request.secrets ?? []), authorization, signature],
	};
}

/**
 * A `+` in a query means a space in forms and a plus elsewhere. The signature covers a space, so a space has to be
 * sent.
 */
function withoutPlus(url: string): string {
	return url.replace(/\?[^#]*/, (query) => query.replaceAll("+", "%20"));
}

/** Only S3 requires this header; without it, the body would not be signed. */
function hashHeader(body: Uint8Array): Record<string, string> {
	return { "x-amz-content-sha256": createHash("sha256").update(body).digest("hex") };
}
