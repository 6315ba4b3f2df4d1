/**
 * Draws docs/demo.svg from a terminal recording of the demo, read from stdin. CONTRIBUTING.md has the command.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { svgOf } from "./svg.ts";
import { lastScreen } from "./terminal.ts";

const PICTURE = join(import.meta.dirname, "../../docs/demo.svg");
const TITLE =
	"The end of npm run demo: five scans, when each had its text, entities and sentiment, and what happened to one of them.";

const lines = lastScreen(await text(process.stdin));
// The last lines say what to do next, and are not part of the picture.
const end = lines.findLastIndex((line) => line.some((run) => run.text.includes("Median time")));
if (end < 0) {
	console.error(
		"The recording has no summary, so the demo did not finish. Look at its output and record it again.",
	);
	process.exit(1);
}
await writeFile(PICTURE, svgOf(lines.slice(0, end + 1), TITLE));
console.log(`${PICTURE}: ${end + 1} lines`);
