/** The set-up of an S3 bucket that notifies an SNS topic, and of the topic's subscription, with AWS CLI and jq. */
import type { SnsSettings } from "../proof/sns/signature.ts";
import type { Setup, SetupTarget } from "../kind.ts";
import { notificationsCode, notify, stopNotifying } from "../setup/s3-notifications.ts";

export function setupSns({ source, settings, url }: SetupTarget<SnsSettings>): Setup {
	const [topic = ""] = settings.topic_arns;
	const [, , , region = ""] = topic.split(":");
	const at = `--topic-arn '${topic}' --region ${region}`;
	const steps = [
		["Make the topic sign with SHA-256", set(at, "SignatureVersion", "2")],
		[
			"Let S3 publish to the topic; this replaces the policy of the topic, if it has one",
			set(at, "Policy", JSON.stringify(policy(topic))),
		],
		[
			"Let the topic send here; the router confirms the subscription automatically",
			`aws sns subscribe ${at} \\\n  --protocol ${new URL(url).protocol.slice(0, -1)} --notification-endpoint '${url}'`,
		],
		[
			"Let the bucket notify the topic; other notifications stay",
			notificationsCode(notify("Topic", topic, source.name)),
		],
	].map(([title = "", code = ""]) => ({ title, language: "shell" as const, code }));
	const find = `aws sns list-subscriptions-by-topic ${at} \\\n  --query "Subscriptions[?Endpoint=='${url}'].SubscriptionArn" --output text`;
	return {
		variants: [
			{
				name: "aws-cli",
				title: "AWS CLI and jq, with an existing topic and bucket",
				steps,
				remove: {
					title: "Stop the topic from sending here, and the bucket from notifying",
					language: "shell",
					code: [
						`for subscription in $(${find}); do`,
						`  aws sns unsubscribe --subscription-arn "$subscription" --region ${region}`,
						"done",
						notificationsCode(stopNotifying("Topic", source.name)),
					].join("\n"),
				},
			},
		],
	};
}

function set(at: string, name: string, value: string): string {
	return `aws sns set-topic-attributes ${at} \\\n  --attribute-name ${name} --attribute-value '${value}'`;
}

/** The account of the topic, so that buckets of other accounts cannot publish. */
function policy(topic: string): object {
	const [, , , , account = ""] = topic.split(":");
	return {
		Version: "2012-10-17",
		Statement: [
			{
				Effect: "Allow",
				Principal: { Service: "s3.amazonaws.com" },
				Action: "sns:Publish",
				Resource: topic,
				Condition: { StringEquals: { "aws:SourceAccount": account } },
			},
		],
	};
}
