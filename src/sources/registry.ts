/** The source kinds by name, the value of a source's `kind`. */
import type { Source } from "../store/records.ts";
import { azureEventgrid } from "./azure-eventgrid/index.ts";
import { cloudevents } from "./cloudevents/index.ts";
import { debezium } from "./debezium/index.ts";
import { gcsPubsub } from "./gcs-pubsub/index.ts";
import { generic } from "./generic/index.ts";
import { github } from "./github/index.ts";
import { hasura } from "./hasura/index.ts";
import type { SourceKind } from "./kind.ts";
import { minio } from "./minio/index.ts";
import { mongodbAtlas } from "./mongodb-atlas/index.ts";
import { planetscale } from "./planetscale/index.ts";
import { postgres } from "./postgres/index.ts";
import { r2 } from "./r2/index.ts";
import { s3Eventbridge } from "./s3-eventbridge/index.ts";
import { s3Sns } from "./s3-sns/index.ts";
import { sequin } from "./sequin/index.ts";
import { shopify } from "./shopify/index.ts";
import { slack } from "./slack/index.ts";
import { settingsUnreadable } from "./stopped.ts";
import { sqs } from "./sqs/index.ts";
import { standardWebhooks } from "./standard-webhooks/index.ts";
import { stripe } from "./stripe/index.ts";
import { supabase } from "./supabase/index.ts";

export const sourceKinds = {
	"azure-eventgrid": azureEventgrid,
	cloudevents,
	debezium,
	"gcs-pubsub": gcsPubsub,
	generic,
	github,
	hasura,
	minio,
	"mongodb-atlas": mongodbAtlas,
	planetscale,
	postgres,
	r2,
	"s3-eventbridge": s3Eventbridge,
	"s3-sns": s3Sns,
	sequin,
	shopify,
	slack,
	sqs,
	"standard-webhooks": standardWebhooks,
	stripe,
	supabase,
} as const satisfies Record<string, SourceKind>;

export type KindName = keyof typeof sourceKinds;

export function isKindName(name: string): name is KindName {
	return Object.hasOwn(sourceKinds, name);
}

/** The names, in the order of this list. */
export const KIND_NAMES = Object.keys(sourceKinds).filter(isKindName);

/** Returns the kind, or null if this release does not know it because a newer one stored the source. */
export function kindOf({ kind }: Pick<Source, "kind">): SourceKind | null {
	return isKindName(kind) ? sourceKinds[kind] : null;
}

/** Returns the kind, bound to the source's settings. Refuses with 503 `settings_unreadable`. */
export function bindKind(source: Source): ReturnType<SourceKind["bind"]> {
	return kindOf(source)?.bind(source) ?? settingsUnreadable();
}
