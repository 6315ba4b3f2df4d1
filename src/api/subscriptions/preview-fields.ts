/** The input of a preview: a draft or an existing subscription, and an event or an event id. */
import * as z from "zod";
import { hasOneForm, hasTarget, newFields, ONE_FORM, TARGET_REQUIRED } from "./fields.ts";

export const previewSchema = newFields
	.extend({
		subscription: z
			.string()
			.min(1)
			.optional()
			.describe("A subscription by name or id (sub_…), instead of the fields of a draft."),
		event: z
			.record(z.string(), z.unknown())
			.optional()
			.describe("A CloudEvent as JSON. Only its type is required."),
		event_id: z.string().min(1).optional().describe("The id (evt_…) of a recent event, instead of event."),
		event_source: z
			.string()
			.min(1)
			.optional()
			.describe(
				"The source through which the event arrives, by name or id. Default: the subscription's source.",
			),
	})
	.refine((input) => input.subscription !== undefined || hasOneForm(input), ONE_FORM)
	.refine((input) => input.subscription !== undefined || hasTarget(input), TARGET_REQUIRED)
	.superRefine((input, context) => {
		const refuse = (path: string, message: string) =>
			context.addIssue({ code: "custom", path: [path], message });
		if (input.event === undefined && input.event_id === undefined) {
			refuse("event", "is required: give event or event_id");
		}
		if (input.event !== undefined && input.event_id !== undefined) {
			refuse("event_id", "cannot be combined with event: give either event or event_id");
		}
		if (input.event_id !== undefined && input.event_source !== undefined) {
			refuse(
				"event_source",
				"cannot be combined with event_id, because the event with this id has its own source: leave it out",
			);
		}
		if (input.subscription === undefined) return;
		for (const field of Object.keys(newFields.shape)) {
			if (!(field in input)) continue;
			refuse(field, "is a field of a draft: give either subscription or the fields of a draft");
		}
	});

export type PreviewInput = z.output<typeof previewSchema>;
