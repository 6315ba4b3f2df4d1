import { describe, expect, test } from "vitest";
import { queueArn, refuseQueueUrl, regionOf } from "../../../src/sources/sqs/queue.ts";

const QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans";

describe("queues that the router asks", () => {
	test.each([
		QUEUE,
		`${QUEUE}.fifo`,
		"https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/scans",
		"https://sqs.cn-north-1.amazonaws.com.cn/123456789012/scans",
		"https://sqs.eu-central-1.api.aws/123456789012/scans",
		"https://sqs-fips.us-east-1.api.aws/123456789012/scans",
		"https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/scans",
		"https://sqs.eusc-de-east-1.api.amazonwebservices.eu/123456789012/scans",
		"https://sqs.cn-north-1.api.amazonwebservices.com.cn/123456789012/scans",
	])("%s", (url) => {
		expect(refuseQueueUrl(url, { allowPrivate: false })).toBeNull();
	});

	test.each([
		["http", QUEUE.replace("https", "http")],
		["a port", QUEUE.replace(".com/", ".com:8443/")],
		["another host", "https://sqs.example.com/123456789012/scans"],
		[
			"a host that only begins like it",
			"https://sqs.eu-central-1.amazonaws.com.evil.example/123456789012/scans",
		],
		["a host below a bucket's", "https://sqs.eu-central-1.scans.s3.amazonaws.com/123456789012/scans"],
		["a bucket that is named like a region", "https://sqs.s3.amazonaws.com/123456789012/scans"],
		["another service", "https://sns.eu-central-1.amazonaws.com/123456789012/scans"],
		["an emulator", "http://127.0.0.1:4566/123456789012/scans"],
		["no account", "https://sqs.eu-central-1.amazonaws.com/scans"],
		["no queue", "https://sqs.eu-central-1.amazonaws.com/123456789012/"],
		["a query", `${QUEUE}?Action=DeleteQueue`],
		["a fragment", `${QUEUE}#x`],
		["credentials", QUEUE.replace("https://", "https://a:b@")],
		["no URL", "scans"],
		["an ARN", "arn:aws:sqs:eu-central-1:123456789012:scans"],
	])("not %s", (_what, url) => {
		expect(refuseQueueUrl(url, { allowPrivate: false })).toEqual(expect.any(String));
	});

	test.each([
		["http://127.0.0.1:4566/000000000000/scans", null],
		["http://localhost:9324/000000000000/scans.fifo", null],
		["ftp://127.0.0.1/000000000000/scans", expect.any(String)],
		["http://127.0.0.1:4566/queue/scans", expect.any(String)],
	])("in development %s: %s", (url, expected) => {
		expect(refuseQueueUrl(url, { allowPrivate: true })).toEqual(expected);
	});
});

test.each([
	[QUEUE, "eu-central-1"],
	["https://sqs.cn-north-1.amazonaws.com.cn/123456789012/scans", "cn-north-1"],
	["https://sqs.eu-central-1.api.aws/123456789012/scans", "eu-central-1"],
	["https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/scans", "eusc-de-east-1"],
	["http://127.0.0.1:4566/000000000000/scans", null],
	["scans", null],
])("the region of %s is %s", (url, region) => {
	expect(regionOf(url)).toBe(region);
});

test.each([
	[QUEUE, "eu-central-1", "arn:aws:sqs:eu-central-1:123456789012:scans"],
	["http://127.0.0.1/000000000000/scans.fifo", "eu-west-1", "arn:aws:sqs:eu-west-1:000000000000:scans.fifo"],
	[QUEUE, "cn-north-1", "arn:aws-cn:sqs:cn-north-1:123456789012:scans"],
	[QUEUE, "us-gov-west-1", "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:scans"],
	[QUEUE, "eusc-de-east-1", "arn:aws-eusc:sqs:eusc-de-east-1:123456789012:scans"],
	["scans", "eu-west-1", null],
])("the ARN of %s in %s", (url, region, arn) => {
	expect(queueArn(url, region)).toBe(arn);
});
