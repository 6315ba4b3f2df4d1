/**
 * The tasks, in the order in which they are begun: deliveries closest to completion
 * first.
 */
import { poll } from "./poll.ts";
import { publish } from "./publish.ts";
import { send } from "./send.ts";
import type { Task } from "./task.ts";

export const TASKS: readonly Task[] = [publish, poll, send];
