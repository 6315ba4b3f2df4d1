/**
 * Colours and widths for terminal output. Colours appear only on a terminal, and never against the wish of
 * NO_COLOR (https://no-color.org).
 */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export const isTerminal = process.stdout.isTTY;
const isColourful = isTerminal && !process.env.NO_COLOR && process.env.TERM !== "dumb";

export function paint(style: Style, text: string): string {
	return isColourful ? styleText(style, text, { validateStream: false }) : text;
}
