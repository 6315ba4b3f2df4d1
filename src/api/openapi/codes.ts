/** Every error `code`, with its status and meaning. Stable, because clients depend on them. */
import type { ProblemStatus } from "../../http/problem.ts";

export const CODES = {
	attribute_too_long: [
		400,
		"A CloudEvents attribute has more than 1,024 bytes, or all have more than 16,384.",
	],
	body_incomplete: [400, "The connection ended before the body did."],
	duplicate_member: [400, "A JSON object has a member twice."],
	invalid_cloudevent: [400, "A CloudEvents attribute is missing or not valid."],
	invalid_form: [400, "The form is not UTF-8, or badly percent-encoded."],
	invalid_header: [400, "The header Idempotency-Key is not UTF-8."],
	invalid_idempotency_key: [
		400,
		"The header Idempotency-Key has characters other than visible ASCII, or more than 255.",
	],
	invalid_json: [400, "The body is not JSON in UTF-8; `detail` says where."],
	invalid_payload: [400, "The body lacks something that the source's kind needs."],
	invalid_query: [400, "A query parameter is unknown, not valid, or there twice."],
	invalid_r2_notification: [400, "The message is not a notification of R2."],
	invalid_sns_message: [400, "The body is not a message of SNS."],
	invalid_status: [400, "The header sluice-status of a callback is not an HTTP status from 200 to 599."],
	invalid_sqs_message: [400, "The message is neither an S3 notification nor a CloudEvent."],
	missing_header: [400, "A header that the kind needs is missing."],
	nested_too_deep: [400, "JSON nests more than 1,000 levels."],
	sns_raw_delivery: [400, "Raw message delivery is enabled at SNS, so that its messages are not signed."],
	too_many_attributes: [400, "A CloudEvent has more than 64 attributes."],
	unauthorized: [401, "No valid API key; at ingest: no proof that the request comes from the source."],
	callback_unsigned: [401, "The callback is not signed by the endpoint's `webhook_secret`."],
	forbidden: [
		403,
		"The key's role does not allow this, or the request names a resource that does not belong to the key.",
	],
	bulk_not_found: [404, "There is no such bulk job, or it has been deleted."],
	callback_not_found: [404, "There is no delivery with this callback URL, or it has been deleted."],
	dead_letter_not_found: [404, "There is no such dead letter: it has been retried or deleted."],
	delivery_not_found: [404, "There is no such delivery, or it has been deleted."],
	endpoint_not_found: [404, "There is no such endpoint."],
	event_not_found: [404, "There is no such event, or it has been deleted."],
	event_not_routed: [404, "The event is not routed yet, or there is none with this id. Try again."],
	key_not_found: [404, "There is no such API key."],
	not_found: [404, "There is no such route; `detail` says where to look."],
	source_not_found: [
		404,
		"There is no such source, or it is built in and has neither settings nor an ingest URL.",
	],
	subscription_not_found: [404, "There is no such subscription."],
	method_not_allowed: [
		405,
		"The path does not have this method; the header `Allow` lists those that it has.",
	],
	source_not_posted: [405, "The events of this source come from a queue."],
	already_finished: [409, "The delivery is finished and cannot be canceled."],
	already_succeeded: [409, "The delivery has succeeded and is not sent again."],
	backlog_full: [409, "There is still no room for the delivery."],
	changed_meanwhile: [
		409,
		"Somebody else changed the resource at the same moment, and this request changed nothing. Send it again.",
	],
	config_too_large: [409, "There are more sources, endpoints and subscriptions than one document can hold."],
	config_unreadable: [
		409,
		"Some stored entries cannot be read, and a document without them would be incomplete; `errors` names each.",
	],
	endpoint_in_use: [409, "Subscriptions target the endpoint."],
	event_forgotten: [409, "The event of the delivery has been deleted."],
	idempotency_in_progress: [
		409,
		"The first request with this Idempotency-Key is still in progress. Send it again.",
	],
	idempotency_response_unreadable: [
		409,
		"The first response to this Idempotency-Key was encrypted with a key that is no longer set.",
	],
	in_flight: [409, "The delivery is being sent at this moment."],
	name_taken: [409, "Another resource has this name; for endpoints, this name and version."],
	no_secret: [409, "The source has no secret to rotate."],
	not_granted: [409, "The subscription cannot be resumed until its source's owner grants it."],
	queue_taken: [409, "Another source reads this queue."],
	rotate_by_patch: [409, "An AWS secret access key is changed by PATCH, together with its key id."],
	source_in_use: [409, "Subscriptions name the source."],
	too_many_keys: [409, "There are 1,000 API keys."],
	too_many_secrets: [409, "Ten rotated secrets are still valid."],
	unreadable: [409, "A newer release has stored the delivery, or the endpoint that is tested."],
	precondition_failed: [
		412,
		"The resource is not in the state that If-Match or If-None-Match requires; nothing was changed.",
	],
	body_too_large: [413, "The body is above 1 MB."],
	event_too_large: [413, "An event has more than 1 MB of data."],
	too_many_events: [413, "The request holds more than 5,000 events."],
	unsupported_content_encoding: [415, "The body is compressed."],
	unsupported_media_type: [415, "The content type is not accepted here, or its charset is not UTF-8."],
	idempotency_key_reused: [422, "A different request was sent with this Idempotency-Key."],
	input_misfit: [422, "The input does not fit the protocol of the endpoint that is tested."],
	invalid_request: [422, "Fields of the body are not valid; `errors` names each."],
	transform_failed: [422, "The transform returns no value for the event of the test."],
	internal_error: [500, "A bug; the log has it."],
	certificate_unavailable: [503, "The certificate of SNS cannot be fetched now."],
	keys_unavailable: [503, "The keys of Google cannot be fetched now."],
	not_configured: [503, "ADMIN_TOKEN is not set, so everything except /healthz is closed."],
	queue_unavailable: [
		503,
		"The queue did not accept the events; nothing was accepted. Send the request again.",
	],
	secret_unreadable: [
		503,
		"The secret of the source, or of the endpoint that is tested, cannot be read; nothing was accepted or sent.",
	],
	settings_unreadable: [503, "The source's settings cannot be read; nothing was accepted."],
	source_paused: [503, "The source is paused; nothing was accepted."],
	source_unavailable: [503, "The source cannot be looked up now; nothing was accepted."],
	subscription_not_confirmed: [503, "SNS did not accept the confirmation of a subscription."],
	too_busy: [503, "The memory for large requests is in use. Send the request again."],
	too_slow: [503, "A large request took longer than a minute to arrive."],
	unavailable: [503, "A Durable Object of the router is overloaded or restarting. Send the request again."],
} as const satisfies Record<string, readonly [ProblemStatus, string]>;

export type Code = keyof typeof CODES;

export function isCode(code: string): code is Code {
	return Object.hasOwn(CODES, code);
}

export function statusOfCode(code: Code): ProblemStatus {
	return CODES[code][0];
}
