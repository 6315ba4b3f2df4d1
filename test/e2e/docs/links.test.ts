/** A link in the documentation leads to a file of the project, and an anchor to a heading of it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, linksOf, pages, PROJECT } from "./markdown.ts";

test.each(pages())("every link in %s leads somewhere", (page) => {
	const links = linksOf(page, read(page));
	const dead = links.filter(({ path, anchor }) => {
		if (!existsSync(join(PROJECT, path))) return true;
		return anchor !== null && path.endsWith(".md") && !anchorsOf(read(path)).has(anchor);
	});
	expect(dead.map(({ text }) => text)).toEqual([]);
});

describe("how the test finds links and headings", () => {
	const markdown = [
		"# Is the model ready?",
		"```sh",
		"# no heading, and [no link](nowhere.md)",
		"```",
		"## `hmac` and [more](x.md)",
		"## `hmac` and more",
		'<a id="own"></a> <img src="flow.svg" width="9">',
		"[a](api.md#keys-and-roles), [over two",
		"lines](#here), `[no](link.md)`, [out](https://example.com/#x)",
		"",
		"[ref]: ../README.md#top",
	].join("\n");

	test("anchors are those that GitHub makes", () => {
		expect([...anchorsOf(markdown)].toSorted()).toEqual([
			"hmac-and-more",
			"hmac-and-more-1",
			"is-the-model-ready",
			"own",
		]);
	});

	test("links are found where they are links", () => {
		const found = linksOf("docs/page.md", markdown).map(({ path, anchor }) => `${path}#${anchor}`);
		expect(found.toSorted()).toEqual([
			"README.md#top",
			"docs/api.md#keys-and-roles",
			"docs/flow.svg#null",
			"docs/page.md#here",
			"docs/x.md#null",
		]);
	});
});

function read(page: string): string {
	return readFileSync(join(PROJECT, page), "utf8");
}
