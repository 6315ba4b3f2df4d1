/** Publishers that send CloudEvents 1.0 over HTTP, in any mode. */
import { decodeCloudEvents, STRUCTURED_TYPE } from "../../events/cloudevents/cloudevents.ts";
import { curlSetup } from "../setup/curl.ts";
import { defineKind, noSettings } from "../kind.ts";

export const cloudevents = defineKind({
	settings: noSettings,
	defaultAuth: { type: "bearer" },

	async parse({ headers, body }) {
		return decodeCloudEvents(headers, body);
	},

	/**
	 * Abuse protection of HTTP 1.1 Web Hooks for Event Delivery, section 4: the sender asks for consent before it sends.
	 * Anyone may ask; the events must still authenticate.
	 */
	handshake(request) {
		const origin = request.headers.get("webhook-request-origin");
		if (request.method !== "OPTIONS" || origin === null) return null;
		return new Response(null, {
			status: 200,
			headers: { allow: "POST, OPTIONS", "webhook-allowed-origin": origin, "webhook-allowed-rate": "*" },
		});
	},

	setup: ({ source, url, secret }) =>
		curlSetup(source.auth, url, secret, structured("event-1"), STRUCTURED_TYPE),

	sample: (now) => ({ headers: { "content-type": STRUCTURED_TYPE }, body: structured(`sample-${now}`) }),
});

function structured(id: string): string {
	const attributes = { specversion: "1.0", id, source: "/docs/example", type: "com.example.greeting" };
	return JSON.stringify({ ...attributes, datacontenttype: "application/json", data: { hello: "world" } });
}
