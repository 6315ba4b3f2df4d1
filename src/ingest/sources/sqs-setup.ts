/** How a queue of SQS is opened to the router, and a bucket of S3 to the queue: AWS CLI commands. */
import { queueArn } from "../sqs-queue.ts";
import type { Setup, SetupTarget } from "./kind.ts";

const POLICY_NAME = "sluice-pull";

export function setupSqs({ source, url, secret }: SetupTarget): Setup {
	const text = (name: string) => String(source.settings[name]);
	const [queueUrl, region, keyId] = [text("queue_url"), text("region"), text("access_key_id")];
	const arn = queueArn(queueUrl, region) ?? "";
	const user = `user=$(aws iam get-access-key-last-used --access-key-id '${keyId}' --query UserName --output text)`;
	const patch = { settings: { queue_url: queueUrl, region, access_key_id: "<ACCESS KEY ID>" }, secret };
	const steps = [
		[
			"Let the key's user take messages from the queue, and nothing else",
			`${user}\naws iam put-user-policy --user-name "$user" --policy-name ${POLICY_NAME} \\\n  --policy-document '${JSON.stringify(pullPolicy(arn))}'`,
		],
		[
			"For notifications of S3: let buckets of the account write to the queue; this takes the place of a policy the queue may have",
			`aws sqs set-queue-attributes --queue-url '${queueUrl}' --region ${region} \\\n  --attributes '${JSON.stringify({ Policy: JSON.stringify(bucketPolicy(arn)) })}'`,
		],
		[
			"For notifications of S3: let the bucket notify the queue; this takes the place of other notifications the bucket may have",
			`aws s3api put-bucket-notification-configuration --bucket '<BUCKET>' \\\n  --notification-configuration '${JSON.stringify(bucketNotifications(arn))}'`,
		],
		[
			"Send a message and see it arrive",
			`aws sqs send-message --queue-url '${queueUrl}' --region ${region} --message-body '{"hello": "world"}'`,
		],
		[
			"Later, to change to another access key",
			`curl -X PATCH '${new URL(url).origin}/v1/sources/${source.name}' \\\n  -H "authorization: Bearer $ADMIN_TOKEN" -H 'content-type: application/json' \\\n  -d '${JSON.stringify(patch)}'`,
		],
	].map(([title = "", code = ""]) => ({ title, language: "shell" as const, code }));
	return {
		variants: [
			{
				name: "aws-cli",
				title: "AWS CLI, with a queue, a user and its access key that exist",
				steps,
				remove: {
					title: "Close the queue to the key again, and stop the bucket from notifying",
					language: "shell",
					code: `${user}\naws iam delete-user-policy --user-name "$user" --policy-name ${POLICY_NAME}\naws s3api put-bucket-notification-configuration --bucket '<BUCKET>' --notification-configuration '{}'`,
				},
			},
		],
	};
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

function bucketNotifications(arn: string): object {
	const Events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"];
	return { QueueConfigurations: [{ Id: "sluice", QueueArn: arn, Events }] };
}
