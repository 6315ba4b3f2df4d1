/** The descriptions of `/v1/dead-letters`. */
import {
	type FieldTexts,
	NOTHING,
	type NamedSchema,
	type OperationDescription,
	pageOf,
} from "../openapi/operation.ts";
import { pageQueryOf } from "../openapi/shared.ts";
import { deadLetterListQuery, deadLetterSchema, wholeDeadLetterSchema } from "./fields.ts";

const DEAD_LETTER: NamedSchema = { name: "DeadLetter", schema: deadLetterSchema, fields: {} };
const WHOLE: NamedSchema = { name: "DeadLetterDetail", schema: wholeDeadLetterSchema, fields: {} };

const params: FieldTexts = { id: "A dead letter's id, `dead_…`." };
const NOT_FOUND = "dead_letter_not_found";
const shared = { tag: "Dead letters", params } as const;

export const deadLetterOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "get",
		path: "/v1/dead-letters",
		id: "listDeadLetters",
		summary: "List dead letters",
		description: "The newest 10,000 of the last 30 days, without bodies.",
		query: pageQueryOf(deadLetterListQuery),
		responses: { 200: { text: "A page of dead letters.", schema: pageOf(DEAD_LETTER) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/dead-letters/{id}",
		id: "getDeadLetter",
		summary: "Read a dead letter",
		responses: { 200: { text: "The dead letter with its body.", schema: WHOLE } },
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "post",
		path: "/v1/dead-letters/{id}/retry",
		id: "retryDeadLetter",
		summary: "Send a dead letter to the event queue again",
		description:
			"The dead letter is deleted when the queue has accepted the message. Events that were already routed are not routed twice.",
		responses: { 202: { text: "The dead letter, which is now in the queue.", schema: DEAD_LETTER } },
		codes: [NOT_FOUND, "queue_unavailable"],
	},
	{
		...shared,
		method: "delete",
		path: "/v1/dead-letters/{id}",
		id: "deleteDeadLetter",
		summary: "Delete a dead letter",
		responses: { 204: NOTHING },
		codes: [NOT_FOUND],
	},
];
