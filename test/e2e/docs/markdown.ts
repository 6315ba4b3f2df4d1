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

/** The code blocks of one language, with the heading that each of them stands under. */
export function blocksOf(markdown: string, language: string): { heading: string; code: string }[] {
	const blocks: { heading: string; code: string }[] = [];
	let heading = "";
	for (const [, title, name, code] of markdown.matchAll(/^#+ (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
		if (title !== undefined) heading = title;
		else if (name === language) blocks.push({ heading, code: code ?? "" });
	}
	return blocks;
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
