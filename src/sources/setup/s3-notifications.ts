/**
 * Commands that change the notifications of a bucket, with AWS CLI and jq. S3 only accepts the whole configuration, so
 * the current one is read, changed and written back.
 */

/** `change` is a jq filter over the configuration. If the configuration cannot be read, nothing is overwritten. */
export function notificationsCode(change: string): string {
	return [
		"BUCKET='<BUCKET>'",
		'aws s3api get-bucket-notification-configuration --bucket "$BUCKET" > before.json &&',
		// The output for a bucket without notifications is empty.
		`  jq -s '(.[0] // {}) | ${change}' before.json > after.json &&`,
		'  aws s3api put-bucket-notification-configuration --bucket "$BUCKET" \\',
		"    --notification-configuration file://after.json",
	].join("\n");
}

/** Notifies a topic or a queue of every object that is created or removed. Each source has its own notification. */
export function notify(kind: "Topic" | "Queue", arn: string, sourceName: string): string {
	const Events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"];
	const own = { Id: idOf(sourceName), [`${kind}Arn`]: arn, Events };
	return `${stopNotifying(kind, sourceName)} + [${JSON.stringify(own)}]`;
}

/** Removes what `notify` has added. */
export function stopNotifying(kind: "Topic" | "Queue", sourceName: string): string {
	const list = `.${kind}Configurations`;
	return `${list} = [${list}[]? | select(.Id != "${idOf(sourceName)}")]`;
}

function idOf(sourceName: string): string {
	return `sluice-${sourceName}`;
}
