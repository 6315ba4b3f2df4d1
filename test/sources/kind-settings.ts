/** Settings for a source of each kind that cannot do without. */
import { kindOf } from "../../src/sources/registry.ts";
import { TOPIC } from "./proof/sns/sns.ts";

export const KIND_SETTINGS: Readonly<Record<string, Record<string, unknown>>> = {
	r2: { queue: "scans" },
	"s3-sns": { topic_arns: [TOPIC] },
	sqs: {
		queue_url: "https://sqs.eu-central-1.amazonaws.com/123456789012/scans",
		access_key_id: "AKIAIOSFODNN7EXAMPLE",
	},
};

/** As they are stored: with the kind's defaults. */
export function settingsOf(kind: string): Record<string, unknown> {
	return kindOf({ kind })?.settings.parse(KIND_SETTINGS[kind] ?? {}) ?? {};
}
