/** The source kinds by the name that a source gives in `kind`. */
import { cloudevents } from "./cloudevents.ts";
import { generic } from "./generic.ts";
import type { SourceKind } from "./kind.ts";

export const sourceKinds: Readonly<Record<string, SourceKind>> = { generic, cloudevents };
