/** In every end-to-end suite, each response of a router to `fetch` has to be as /openapi.json describes it. */
import { inject } from "vitest";
import { checkResponses } from "./api.ts";
import { type Document, checkBy } from "./described.ts";

const response = await fetch(`${inject("routerUrl")}/openapi.json`);
const check = checkBy((await response.json()) as Document);

checkResponses(inject("routerUrl"), (seen) => {
	const found = check(seen);
	if (found === null) return;
	throw new Error(
		`${seen.method} ${seen.path} → ${seen.status} is not described with ${found}\n${seen.text}`,
	);
});
