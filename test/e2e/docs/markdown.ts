/** What the tests of the documentation read out of Markdown. Pure, but for the list of files. */
import { readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const PROJECT = join(import.meta.dirname, "../../..");

/** Every page that users and developers read, as a path from the project's root. */
export function pages(): string[] {
	const docs = readdirSync(join(PROJECT, "docs")).filter((name) => name.endsWith(".md"));
	return ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
}

export interface Link {
	/** A path from the project's root. */
	path: string;
	/** null: to the page as a whole. */
	anchor: string | null;
	/** As it stands in the page. */
	text: string;
}

/** Links of the page to files of the project; those to other hosts are left out. */
export function linksOf(page: string, markdown: string): Link[] {
	const text = withoutCode(markdown);
	const targets = [
		...text.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g),
		...text.matchAll(/<(?:a|img)\s[^>]*(?:href|src)="([^"]+)"/g),
		...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm),
	].map(([, target = ""]) => target);
	return targets
		.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
		.map((target) => {
			const [path = "", anchor = null] = target.split("#");
			return { path: path === "" ? page : normalize(join(dirname(page), path)), anchor, text: target };
		});
}

/** The anchors that GitHub makes of the headings, and those that the page sets itself. */
export function anchorsOf(markdown: string): Set<string> {
	const text = withoutFences(markdown);
	const anchors = new Set([...text.matchAll(/<a\s[^>]*(?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id));
	for (const [, heading = ""] of text.matchAll(/^#{1,6}\s+(.+)$/gm)) {
		const anchor = slugOf(heading);
		let unique = anchor;
		for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
		anchors.add(unique);
	}
	return anchors;
}

export interface Block {
	/** The heading that it stands under. */
	heading: string;
	/** As the fence names it; empty where it names none. */
	language: string;
	/** Without the indentation of the fence. */
	code: string;
	/** Of the fence, counted from 1. */
	line: number;
}

/** Every fenced block of code of a page, those within lists too. */
export function fencesOf(markdown: string): Block[] {
	const blocks: Block[] = [];
	let heading = "";
	let open: (Block & { indent: string }) | null = null;
	for (const [index, line] of markdown.split("\n").entries()) {
		const [, indent = "", language = null] = /^(\s*)```\s*(.*?)\s*$/.exec(line) ?? [];
		if (open !== null && language === "") {
			const { indent: _, ...block } = open;
			blocks.push(block);
			open = null;
		} else if (open !== null)
			open.code += `${line.slice(line.startsWith(open.indent) ? open.indent.length : 0)}\n`;
		else if (language !== null) open = { heading, language, code: "", line: index + 1, indent };
		else heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
	}
	return blocks;
}

/** The code blocks of one language. */
export function blocksOf(markdown: string, language: string): Block[] {
	return fencesOf(markdown).filter((block) => block.language === language);
}

/** The comments of a script, each from its `#` to the end of its line. */
export function commentsIn(script: string): string[] {
	const tokens = script.matchAll(/'[^']*'|"(?:\\[^]|[^"\\])*"|\\[^]|(?<=^|[\s;&|(])#.*/gm);
	return [...tokens].map(([token]) => token).filter((token) => token.startsWith("#"));
}

/** What stands between single backticks, outside of fences. */
export function spansOf(markdown: string): { code: string; line: number }[] {
	const lines = markdown.split("\n");
	const fenced = new Set(
		fencesOf(markdown).flatMap(({ code, line }) => code.split("\n").map((_, index) => line + index)),
	);
	return lines.flatMap((text, index) =>
		fenced.has(index + 1)
			? []
			: [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => ({ code, line: index + 1 })),
	);
}

function slugOf(heading: string): string {
	return heading
		.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
		.trim()
		.toLowerCase()
		.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
		.replaceAll(/\s/g, "-");
}

function withoutFences(markdown: string): string {
	return markdown.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, "");
}

function withoutCode(markdown: string): string {
	return withoutFences(markdown).replaceAll(/`[^`\n]*`/g, "");
}
