/** The set-up of Debezium: Debezium Server, or a sink in Kafka Connect. */
import type { Setup, SetupTarget, SetupVariant } from "../kind.ts";
import { debeziumServer, debeziumServerOutbox } from "./setup-server.ts";
import { kafkaConnect } from "./setup-kafka-connect.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

/**
 * Debezium Server signs with Standard Webhooks and cannot send a fixed header. The sinks of Kafka Connect send headers
 * and cannot sign. A token in the URL works for both.
 */
export function debeziumSetup(target: SetupTarget): Setup {
	const { type } = target.source.auth;
	const isUrlEnough = type === "url_token" || type === "none";
	const variants: SetupVariant[] = [];
	if (isUrlEnough || type === "standard_webhooks") {
		variants.push(debeziumServer(target), debeziumServerOutbox(target));
	}
	const proof = staticProof(target.source.auth, target.secret);
	if (proof !== null) variants.push(kafkaConnect(target, proof.headers));
	if (variants.length > 0) return { variants };
	return setupAfterAuthChange(target, {
		auth: { type: "standard_webhooks" },
		secret: "whsec_<32 BYTES IN BASE64>",
	});
}
