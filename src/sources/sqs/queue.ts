/** SQS queue URLs: parsing, and which URLs the router may sign requests for. Pure. */
import { regionOfService } from "../../http/aws-hosts.ts";

/** The account that owns the queue, and its name. */
const QUEUE_PATH = /^\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)$/;

/**
 * Returns why `text` is not an allowed queue URL, to follow the field's name in a sentence, or null if it is allowed.
 * `allowPrivate` allows emulators on any host.
 */
export function refuseQueueUrl(text: string, { allowPrivate }: { allowPrivate: boolean }): string | null {
	const url = URL.parse(text);
	if (url === null) return "is not an absolute URL";
	const isAmazon = url.protocol === "https:" && url.port === "" && regionOfQueue(url) !== null;
	const isEmulator = allowPrivate && (url.protocol === "https:" || url.protocol === "http:");
	if (!isAmazon && !isEmulator)
		return "must be the URL of a queue, as in https://sqs.{region}.amazonaws.com/{account}/{name}";
	if (!QUEUE_PATH.test(url.pathname)) return "must end in the account of 12 digits and the queue's name";
	const isBare = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
	return isBare ? null : "must not have credentials, a query or a fragment";
}

/** null if the host does not contain it, as with emulators. */
export function regionOf(queueUrl: string): string | null {
	const url = URL.parse(queueUrl);
	return url === null ? null : regionOfQueue(url);
}

/** https://docs.aws.amazon.com/general/latest/gr/sqs-service.html */
function regionOfQueue({ hostname }: URL): string | null {
	return regionOfService(hostname, "sqs");
}

/** null if the URL is not the URL of a queue. */
export function queueArn(queueUrl: string, region: string): string | null {
	const [, account, name] = QUEUE_PATH.exec(URL.parse(queueUrl)?.pathname ?? "") ?? [];
	if (account === undefined || name === undefined) return null;
	return `arn:${partitionOf(region)}:sqs:${region}:${account}:${name}`;
}

function partitionOf(region: string): string {
	if (region.startsWith("cn-")) return "aws-cn";
	if (region.startsWith("eusc-")) return "aws-eusc";
	return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
