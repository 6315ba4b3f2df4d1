/**
 * All descriptions of routes. A new route goes into the list of its resource; a new resource needs one line
 * here.
 */
import { accessOperations } from "../access/describe.ts";
import { bulkOperations } from "../bulk/describe.ts";
import { configOperations } from "../config/describe.ts";
import { deadLetterOperations } from "../dead-letters/describe.ts";
import { deliveryOperations } from "../deliveries/describe.ts";
import { endpointOperations } from "../endpoints/describe.ts";
import { eventOperations } from "../events/describe.ts";
import { sourceOperations } from "../sources/describe.ts";
import { subscriptionOperations } from "../subscriptions/describe.ts";
import { callbackOperations } from "./callbacks.ts";
import { ingestOperations, routerOperations } from "./ingest.ts";
import type { OperationDescription } from "./operation.ts";

export const OPERATIONS: readonly OperationDescription[] = [
	...ingestOperations,
	...sourceOperations,
	...endpointOperations,
	...subscriptionOperations,
	...configOperations,
	...eventOperations,
	...deliveryOperations,
	...bulkOperations,
	...deadLetterOperations,
	...callbackOperations,
	...accessOperations,
	...routerOperations,
];
