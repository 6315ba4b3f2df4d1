/**
 * The last step from an output to a result event: the subscription's transform. If it fails, the
 * untransformed event stays with the delivery, so that the transform can be retried without calling
 * the model again.
 */
import { exactDocumentOf, exactValueOf } from "../../events/cloudevents/document.ts";
import type { SluiceEvent } from "../../events/event.ts";
import { jsonOf } from "../../events/expressions/expression.ts";
import { evaluateOwned } from "../../events/expressions/quarantine.ts";
import type { Subscription } from "../../store/records.ts";
import type { Delivery } from "../rules/delivery.ts";

export type Transformed =
	/** null: the subscription publishes no result event. */
	{ ok: true; event: SluiceEvent | null } | { ok: false; message: string };

/** The delivery's result event after the subscription's transform. */
export async function transformResult(
	{ event: parent, resultEvent }: Pick<Delivery, "event" | "resultEvent">,
	owner: Subscription,
): Promise<Transformed> {
	const { result: policy } = owner;
	if (resultEvent === null || parent === null || policy === null) return { ok: true, event: null };
	if (policy.transform === null) return { ok: true, event: resultEvent };
	const { data } = resultEvent;
	const evaluation = await evaluateOwned(
		{ owner, field: "result.transform", source: policy.transform },
		() => ({ event: exactDocumentOf(parent), result: data === null ? null : exactValueOf(data) }),
	);
	const transformed = jsonOf(evaluation);
	if (!transformed.ok) return transformed;
	const attributes = { ...resultEvent.attributes, datacontenttype: "application/json" };
	return { ok: true, event: { ...resultEvent, attributes, data: { kind: "json", text: transformed.json } } };
}
