/** Signatures as AWS's own test suite has them ("post-vanilla" and its neighbours), and what hosts tell. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { awsScope, signAws } from "../../../../src/delivery/exchange/credentials/sigv4.ts";
import type { OutgoingRequest } from "../../../../src/delivery/rules/attempt.ts";
import type { AwsSigV4 } from "../../../../src/store/records.ts";

const AUTH: AwsSigV4 = {
	type: "aws_sigv4",
	accessKeyId: "AKIDEXAMPLE",
	secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const SCOPE = { region: "us-east-1", service: "service" };
const NOW = Date.parse("2015-08-30T12:36:00Z");
const URL = "https://example.amazonaws.com/";

function requestWith(headers: Record<string, string>, body = "", url = URL): OutgoingRequest {
	return { url, method: "POST", headers, body: Buffer.from(body) };
}

async function signatureOf(request: OutgoingRequest): Promise<string | undefined> {
	return (await signAws(request, AUTH, SCOPE, NOW)).secrets?.[1];
}

test.each<[string, OutgoingRequest, string]>([
	["host;x-amz-date", requestWith({}), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
	[
		"content-type;host;x-amz-date",
		requestWith({ "content-type": "application/x-www-form-urlencoded" }, "Param1=value1"),
		"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
	],
])("over %s, with the signature of AWS's test suite", async (signedHeaders, request, signature) => {
	const { headers, secrets } = await signAws(request, AUTH, SCOPE, NOW);
	expect(headers["authorization"]).toBe(
		`AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
	);
	expect(headers["x-amz-date"]).toBe("20150830T123600Z");
	expect(secrets).toEqual([headers["authorization"], signature]);
});

test("x-amz-… headers are covered, and so is the session token; others stay as they are", async () => {
	const own = {
		"content-type": "application/json",
		"x-amz-target": "AmazonSQS.SendMessage",
		"webhook-signature": "v1,abc",
		"user-agent": "Sluice/0.1",
	};
	const auth = { ...AUTH, sessionToken: "a-session" };
	const { headers } = await signAws(requestWith(own, "{}"), auth, SCOPE, NOW);
	expect(headers).toMatchObject({ ...own, "x-amz-security-token": "a-session" });
	expect(headers["authorization"]).toContain(
		"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,",
	);
});

test("a plus in the query is a space, and is sent as what the signature says", async () => {
	const signed = await signAws(requestWith({}, "", `${URL}a+b?q=1+2&r=%2B#a+b`), AUTH, SCOPE, NOW);
	expect(signed.url).toBe(`${URL}a+b?q=1%202&r=%2B#a+b`);
	const spelled = await signatureOf(requestWith({}, "", `${URL}a+b?q=1%202&r=%2B`));
	expect(signed.secrets?.[1]).toBe(spelled);
});

test.each([
	["the body", requestWith({}, "b")],
	["the URL", requestWith({}, "a", `${URL}other`)],
	["the query", requestWith({}, "a", `${URL}?x=1`)],
	["the content type", requestWith({ "content-type": "text/plain" }, "a")],
	["a header of AWS", requestWith({ "x-amz-target": "b" }, "a")],
])("another signature for another one of %s", async (_what, other) => {
	expect(await signatureOf(other)).not.toBe(await signatureOf(requestWith({}, "a")));
});

test("for S3 the hash of the bytes is a header", async () => {
	const scope = { region: "us-east-1", service: "s3" };
	const { headers } = await signAws(requestWith({}, "bytes"), AUTH, scope, NOW);
	expect(headers["x-amz-content-sha256"]).toBe(createHash("sha256").update("bytes").digest("hex"));
});

test.each([
	["sqs.eu-central-1.amazonaws.com", "sqs", "eu-central-1"],
	["sqs.eu-central-1.api.aws", "sqs", "eu-central-1"],
	["eu-central-1.queue.amazonaws.com", "sqs", "eu-central-1"],
	["vpce-0a1b.sqs.us-east-1.vpce.amazonaws.com", "sqs", "us-east-1"],
	["runtime.sagemaker.us-west-2.amazonaws.com", "sagemaker", "us-west-2"],
	["bedrock-runtime.us-east-1.amazonaws.com", "bedrock", "us-east-1"],
	["bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock", "us-gov-west-1"],
	["abc123.execute-api.eu-west-1.amazonaws.com", "execute-api", "eu-west-1"],
	["abc123.lambda-url.eu-west-1.on.aws", "lambda", "eu-west-1"],
	["lambda.ap-southeast-2.amazonaws.com", "lambda", "ap-southeast-2"],
	["bucket.s3.dualstack.eu-west-1.amazonaws.com", "s3", "eu-west-1"],
	["sqs.cn-north-1.amazonaws.com.cn", "sqs", "cn-north-1"],
	["abc123.execute-api.cn-northwest-1.amazonaws.com.cn", "execute-api", "cn-northwest-1"],
	["sqs.cn-north-1.api.amazonwebservices.com.cn", "sqs", "cn-north-1"],
	["sqs.eusc-de-east-1.amazonaws.eu", "sqs", "eusc-de-east-1"],
	["runtime.sagemaker.eusc-de-east-1.amazonaws.eu", "sagemaker", "eusc-de-east-1"],
	["sqs.eusc-de-east-1.api.amazonwebservices.eu", "sqs", "eusc-de-east-1"],
	["sqs.eusc-de-east-1.amazonaws.eu.example.com", null, null],
	["sqs.eu-central-1.amazonaws.fr", null, null],
	["bucket.s3.amazonaws.com", null, null],
	["models.example.com", null, null],
	["sqs.eu-central-1.amazonaws.com.example.com", null, null],
])("%s implies service %s and region %s", (host, service, region) => {
	const scope = awsScope({}, `https://${host}/x`);
	expect(scope).toEqual(service === null ? null : { service, region });
});

test("region and service of the auth take precedence over the host, and complete it", () => {
	const url = "https://sqs.eu-central-1.amazonaws.com/";
	expect(awsScope({ region: "us-east-1" }, url)).toEqual({ service: "sqs", region: "us-east-1" });
	expect(awsScope({ region: "us-east-1" }, "https://models.example.com/")).toBeNull();
	expect(awsScope({ region: "us-east-1", service: "execute-api" }, "https://models.example.com/")).toEqual({
		region: "us-east-1",
		service: "execute-api",
	});
});
