/**
 * Converts a model's output to a new event, correlated with its cause and one hop deeper. The id is derived from the
 * delivery, so that publishing the output twice creates one event. Pure; the dispatcher sends it to the queue.
 */
import { stripRouterAttributes, withFitting } from "../events/cloudevents/attributes.ts";
import type { Attributes, SluiceEvent } from "../events/event.ts";
import { RESULTS_SOURCE_ID, resultEventId } from "../events/ids.ts";
import { fitting, lineageAfter, lineageAttributes } from "../events/lineage.ts";
import { testAttributes } from "../events/test-mark.ts";
import type { ModelOutput, Reported } from "../models/exchange.ts";
import type { ResultPolicy } from "../store/records.ts";
import { attributesSaid } from "./identity.ts";
import { madeByAttributes } from "./made-by.ts";

export interface Produced {
	/** The event that was delivered. */
	parent: SluiceEvent;
	deliveryId: string;
	subscriptionId: string;
	/** How many requests the result may cause. null: the whole budget. */
	budget: number | null;
	endpointId: string;
	/** Name without version. The default event type begins with it. */
	endpointName: string;
	/** `name@version` */
	endpointRef: string;
	policy: ResultPolicy;
	output: NonNullable<ModelOutput>;
	/** What the server reports about its work, if anything. */
	reported?: Reported | undefined;
	now: number;
}

/**
 * Builds the result event. A CloudEvent in the response keeps its type unless the policy sets one, and its id and
 * source unless the server generated them. The router's own attributes always replace what the model sent; the
 * informational ones are dropped if the event has no room for them.
 */
export function buildResultEvent(produced: Produced): SluiceEvent {
	const { parent, deliveryId, endpointId, endpointRef, output, policy, now } = produced;
	const attributes: Attributes = {
		id: deliveryId,
		source: `/endpoints/${endpointRef}`,
		type: `${produced.endpointName}.completed`,
		time: new Date(now).toISOString(),
		...inherited(parent.attributes),
		...(output.kind === "event"
			? attributesSaid(stripRouterAttributes(output).attributes)
			: { datacontenttype: output.contentType }),
		...(policy.type !== null && { type: policy.type }),
		...testAttributes(parent.attributes),
		...lineageAttributes(lineageAfter(parent, produced.subscriptionId, produced.budget)),
	};
	return {
		id: resultEventId({ endpointId, deliveryId }),
		sourceId: RESULTS_SOURCE_ID,
		receivedAt: now,
		attributes: withFitting(attributes, madeByAttributes(produced)),
		data: output.data,
	};
}

/** The attributes that an output inherits from its cause unless it sets them. */
function inherited(cause: Attributes): Partial<Attributes> {
	const taken = ["subject", "traceparent", "tracestate"].flatMap((name) => {
		const value = fitting(cause[name]);
		return value === undefined ? [] : [[name, value] as const];
	});
	return Object.fromEntries(taken);
}
