/** The set-up of an SQS queue's access for the router, and of S3 notifications to the queue, with AWS CLI and jq. */
import { queueArn } from "./queue.ts";
import type { SqsSettings } from "./settings.ts";
import type { Setup, SetupTarget } from "../kind.ts";
import { notificationsCode, notify, stopNotifying } from "../setup/s3-notifications.ts";

export function setupSqs({ source, settings, url, secret }: SetupTarget<SqsSettings>): Setup {
	const { queue_url: queueUrl, region, access_key_id: keyId } = settings;
	const arn = queueArn(queueUrl, region) ?? "";
	// One user per source, although a user may read several queues.
	const policyName = `sluice-${source.name}`;
	const isFifo = arn.endsWith(".fifo");
	const user = `user=$(aws iam get-access-key-last-used --access-key-id '${keyId}' --query UserName --output text)`;
	const at = `--queue-url '${queueUrl}' --region ${region}`;
	const fifo = isFifo ? ' \\\n  --message-group-id sluice --message-deduplication-id "$(date +%s)"' : "";
	const patch = { settings: { queue_url: queueUrl, region, access_key_id: "<ACCESS KEY ID>" }, secret };
	const steps = [
		[
			"Let the key's user read and delete messages of the queue, and nothing else",
			`${user}\naws iam put-user-policy --user-name "$user" --policy-name ${policyName} \\\n  --policy-document '${JSON.stringify(pullPolicy(arn))}'`,
		],
		...(isFifo ? [] : bucketSteps(at, arn, source.name)),
		[
			"Send a message and see it arrive",
			`aws sqs send-message ${at} --message-body '{"hello": "world"}'${fifo}`,
		],
		[
			"Later, to change to another access key",
			`curl -X PATCH '${new URL(url).origin}/v1/sources/${source.name}' \\\n  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\\n  -d '${JSON.stringify(patch)}'`,
		],
	].map(([title = "", code = ""]) => ({ title, language: "shell" as const, code }));
	const remove = [
		`${user}\naws iam delete-user-policy --user-name "$user" --policy-name ${policyName}`,
		...(isFifo ? [] : [notificationsCode(stopNotifying("Queue", source.name))]),
	];
	return {
		variants: [
			{
				name: "aws-cli",
				title: "AWS CLI and jq, with an existing queue, user and access key",
				steps,
				remove: {
					title: `Remove the key's access to the queue${isFifo ? "" : ", and stop the bucket from notifying it"}`,
					language: "shell",
					code: remove.join("\n"),
				},
			},
		],
	};
}

/** S3 does not support FIFO queues. */
function bucketSteps(at: string, arn: string, sourceName: string): string[][] {
	return [
		[
			"For S3 notifications: let buckets of the account write to the queue; this replaces the policy of the queue, if it has one",
			`aws sqs set-queue-attributes ${at} \\\n  --attributes '${JSON.stringify({ Policy: JSON.stringify(bucketPolicy(arn)) })}'`,
		],
		[
			"For S3 notifications: let the bucket notify the queue; other notifications stay",
			notificationsCode(notify("Queue", arn, sourceName)),
		],
	];
}

function pullPolicy(arn: string): object {
	const Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage"];
	return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: arn }] };
}

function bucketPolicy(arn: string): object {
	const [, , , , account = ""] = arn.split(":");
	const statement = {
		Effect: "Allow",
		Principal: { Service: "s3.amazonaws.com" },
		Action: "sqs:SendMessage",
		Resource: arn,
		Condition: { StringEquals: { "aws:SourceAccount": account } },
	};
	return { Version: "2012-10-17", Statement: [statement] };
}
