/** The source kinds by the name that a source gives in `kind`. */
import { azureEventgrid } from "./azure-eventgrid.ts";
import { cloudevents } from "./cloudevents.ts";
import { debezium } from "./debezium.ts";
import { gcsPubsub } from "./gcs-pubsub.ts";
import { generic } from "./generic.ts";
import { github } from "./github.ts";
import { hasura } from "./hasura.ts";
import type { SourceKind } from "./kind.ts";
import { mongodbAtlas } from "./mongodb-atlas.ts";
import { planetscale } from "./planetscale.ts";
import { postgres } from "./postgres.ts";
import { r2 } from "./r2.ts";
import { s3Eventbridge } from "./s3-eventbridge.ts";
import { s3Sns } from "./s3-sns.ts";
import { sequin } from "./sequin.ts";
import { shopify } from "./shopify.ts";
import { slack } from "./slack.ts";
import { sqs } from "./sqs.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { stripe } from "./stripe.ts";
import { supabase } from "./supabase.ts";

export const sourceKinds: Readonly<Record<string, SourceKind>> = {
	"azure-eventgrid": azureEventgrid,
	cloudevents,
	debezium,
	"gcs-pubsub": gcsPubsub,
	generic,
	github,
	hasura,
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
};
