/**
 * Confirms to SNS that a subscription was meant. Only for messages whose signature holds and whose
 * topic the source allows: to confirm is to let that topic send.
 */
import { log } from "../../../log.ts";
import { fetchFromSns, snsUrl } from "./fetch.ts";
import type { SnsMessage } from "./message.ts";

type Question = Exclude<SnsMessage, { Type: "Notification" }>;

/**
 * Confirms a new subscription; false when SNS did not take it, so that SNS is made to ask again. The end of one is
 * only noted: its SubscribeURL would subscribe again.
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
