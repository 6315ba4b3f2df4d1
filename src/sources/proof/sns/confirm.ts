/**
 * Confirms a subscription to SNS, which allows the topic to send. Only for messages with a valid signature from a topic
 * that the source allows.
 */
import { log } from "../../../log.ts";
import { fetchFromSns, snsUrl } from "./fetch.ts";
import type { SnsMessage } from "./message.ts";

type Question = Exclude<SnsMessage, { Type: "Notification" }>;

/**
 * Confirms a new subscription. Returns false if SNS did not accept it, so that SNS asks again. An unsubscribe message
 * is only logged, because its SubscribeURL would subscribe again.
 */
export async function confirmSns({ Type, TopicArn, SubscribeURL }: Question): Promise<boolean> {
	if (Type === "UnsubscribeConfirmation") {
		log("sns.unsubscribed", { topic: TopicArn });
		return true;
	}
	const url = snsUrl(SubscribeURL);
	const response = url === null ? null : await fetchFromSns(url);
	const isConfirmed = response !== null && response.status >= 200 && response.status < 300;
	log("sns.subscription", { topic: TopicArn, confirmed: isConfirmed, status: response?.status ?? null });
	return isConfirmed;
}
