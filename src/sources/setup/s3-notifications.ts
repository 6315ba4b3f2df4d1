/**
 * How the notifications of a bucket are changed: AWS CLI and jq. S3 takes the whole configuration at once, so the
 * one that stands is read and sent back with the change.
 */

/** `change` is a jq filter over the configuration. What could not be read is not overwritten. */
export function notificationsCode(change: string): string {
	return [
		"BUCKET='<BUCKET>'",
		'aws s3api get-bucket-notification-configuration --bucket "$BUCKET" > before.json &&',
		// A bucket without notifications answers nothing at all.
		`  jq -s '(.[0] // {}) | ${change}' before.json > after.json &&`,
		'  aws s3api put-bucket-notification-configuration --bucket "$BUCKET" \\',
		"    --notification-configuration file://after.json",
	].join("\n");
}

/** Tells a topic or a queue of every object that is written or removed. Each source has a notification of its own. */
export function notify(kind: "Topic" | "Queue", arn: string, sourceName: string): string {
	const Events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"];
	const own = { Id: idOf(sourceName), [`${kind}Arn`]: arn, Events };
	return `${stopNotifying(kind, sourceName)} + [${JSON.stringify(own)}]`;
}

/** Takes away what `notify` has added. */
export function stopNotifying(kind: "Topic" | "Queue", sourceName: string): string {
	const list = `.${kind}Configurations`;
	return `${list} = [${list}[]? | select(.Id != "${idOf(sourceName)}")]`;
}

function idOf(sourceName: string): string {
	return `sluice-${sourceName}`;
}
