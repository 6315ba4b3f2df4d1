/**
 * Makes docs/demo.svg of a recording of the demo on a terminal, which it reads from its input. CONTRIBUTING.md has the
 * command.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { svgOf } from "./svg.ts";
import { lastScreen } from "./terminal.ts";

const PICTURE = join(import.meta.dirname, "../../docs/demo.svg");
const TITLE =
	"The end of npm run demo: five scans, when each had its text, entities and sentiment, and how one of them went.";

const lines = lastScreen(await text(process.stdin));
// What to do next is no part of the story.
const end = lines.findLastIndex((line) => line.some((run) => run.text.includes("Median time")));
if (end < 0) {
	console.error("The recording has no summary: the demo did not reach its end.");
	process.exit(1);
}
await writeFile(PICTURE, svgOf(lines.slice(0, end + 1), TITLE));
console.log(`${PICTURE}: ${end + 1} lines`);
