/**
 * A model's output as a new event: correlated with the event that caused it, one hop deeper, and with an id that
 * follows from the delivery, so that publishing the output twice is publishing it once. Pure; queueing stands
 * with the dispatcher.
 */
import { stripRouterAttributes, withFitting } from "../events/cloudevents/attributes.ts";
import type { Attributes, SluiceEvent } from "../events/event.ts";
import { RESULTS_SOURCE_ID, resultEventId } from "../events/ids.ts";
import { fitting, lineageAfter, lineageAttributes } from "../events/lineage.ts";
import type { ModelOutput, Reported } from "../models/exchange.ts";
import type { ResultPolicy } from "../store/records.ts";
import { attributesSaid } from "./identity.ts";
import { madeByAttributes } from "./made-by.ts";

export interface Produced {
	/** The event that was delivered. */
	parent: SluiceEvent;
	deliveryId: string;
	subscriptionId: string;
	/** How many requests may come of the result; null: the whole budget. */
	budget: number | null;
	endpointId: string;
	/** Name without version; types of outputs without a type of their own begin with it. */
	endpointName: string;
	/** `name@version` */
	endpointRef: string;
	policy: ResultPolicy;
	output: NonNullable<ModelOutput>;
	/** What the server says of its work; absent: nothing. */
	reported?: Reported | undefined;
	now: number;
}

/**
 * A CloudEvent in the response is taken as it is: its type is kept unless the policy names one, its id and source unless
 * the server has made them up. The router's own attributes are always written anew, whatever the model sent; those that
 * only inform are left out where the event has no room for them.
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

/** What an output takes over from its cause unless it says otherwise. */
function inherited(cause: Attributes): Partial<Attributes> {
	const taken = ["subject", "traceparent", "tracestate"].flatMap((name) => {
		const value = fitting(cause[name]);
		return value === undefined ? [] : [[name, value] as const];
	});
	return Object.fromEntries(taken);
}
