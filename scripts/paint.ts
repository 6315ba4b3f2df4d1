/**
 * Colours and widths for terminal output. Colours are used only on a terminal and if NO_COLOR is not set
 * (https://no-color.org).
 */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export const isTerminal = process.stdout.isTTY;
const isColourful = isTerminal && !process.env.NO_COLOR && process.env.TERM !== "dumb";

export function paint(style: Style, text: string): string {
	return isColourful ? styleText(style, text, { validateStream: false }) : text;
}
