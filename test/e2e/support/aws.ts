/**
 * Amazon SQS and SNS on this machine: an emulator that speaks their protocols, and AWS's own clients of it. It lets
 * every key in; that requests are signed as they should be is tested in test/ingest.
 */
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";

export const REGION = "eu-central-1";
/** The emulator's only account. */
const ACCOUNT = "000000000000";
const KEY = {
	accessKeyId: "AKIAIOSFODNN7EXAMPLE",
	secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

export interface Aws {
	emulator: FauxqsServer;
	sqs: SQSClient;
	sns: SNSClient;
	queueUrl(name: string): string;
	queueArn(name: string): string;
	/** The fields of a source that asks the queue. */
	sourceOf(name: string): { kind: "sqs"; settings: Record<string, string>; secret: string };
	/** The bodies that a queue holds, those that somebody has received and not deleted among them. */
	held(name: string): string[];
	stop(): Promise<void>;
}

/** Starts the emulator on a free port of 127.0.0.1. */
export async function startAws(): Promise<Aws> {
	const emulator = await startFauxqs({ port: 0, logger: false, defaultRegion: REGION });
	const options = { endpoint: emulator.address, region: REGION, credentials: KEY };
	const sqs = new SQSClient(options);
	const sns = new SNSClient(options);
	const queueUrl = (name: string) => `${emulator.address}/${ACCOUNT}/${name}`;

	return {
		emulator,
		sqs,
		sns,
		queueUrl,
		queueArn: (name) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
		sourceOf: (name) => ({
			kind: "sqs",
			settings: { queue_url: queueUrl(name), region: REGION, access_key_id: KEY.accessKeyId },
			secret: KEY.secretAccessKey,
		}),
		held(name) {
			const queue = emulator.inspectQueue(name);
			if (queue === undefined) throw new Error(`There is no queue ${name}.`);
			const { ready, delayed, inflight } = queue.messages;
			return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(({ body }) => body);
		},
		async stop() {
			sqs.destroy();
			sns.destroy();
			await emulator.stop();
		},
	};
}
