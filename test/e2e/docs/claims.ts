/**
 * Which test looks after which code block of the documentation. A block of `sh` is run as it stands wherever it is; one of
 * another language needs a line here, or the test beside this file fails.
 */
import type { Block } from "./markdown.ts";

interface Claim {
	/** null: every page. */
	page: string | null;
	language: string;
	/** null: under every heading. */
	heading: string | null;
	/** The test, in this folder, or why there is none. */
	by: string | { not: string };
}

const MODELS = "docs/models.md";

/** The first line that fits a block counts. */
const CLAIMS: readonly Claim[] = [
	{ page: "README.md", language: "sh", heading: null, by: "readme.test.ts" },
	{ page: "README.md", language: "text", heading: null, by: "readme.test.ts" },
	{ page: MODELS, language: "sh", heading: "Callback", by: "callback.test.ts" },
	{ page: MODELS, language: "js", heading: "Callback", by: "callback.test.ts" },
	{ page: MODELS, language: "sh", heading: null, by: "models.test.ts" },
	{ page: null, language: "sh", heading: null, by: "terminal.test.ts" },
	{ page: "docs/sources.md", language: "json", heading: null, by: "terminal.test.ts" },
	{
		page: "docs/expressions.md",
		language: "json",
		heading: "Filters and expressions",
		by: "../../api/subscriptions/expressions-page.test.ts",
	},
	{ page: null, language: "json", heading: null, by: "json.test.ts" },
	{ page: MODELS, language: "toml", heading: "Bindings", by: "files.test.ts" },
	{ page: "docs/operations.md", language: "toml", heading: "Deploy", by: "files.test.ts" },
	{
		page: "docs/operations.md",
		language: "toml",
		heading: "A second router in the account",
		by: "files.test.ts",
	},
	{ page: "docs/operations.md", language: "sql", heading: "Back up and restore", by: "restore.test.ts" },
	{ page: "docs/operations.md", language: "yaml", heading: "From CI", by: "files.test.ts" },
	{ page: "docs/deliveries.md", language: "js", heading: "Signatures", by: "signatures.test.ts" },
	{ page: "docs/deliveries.md", language: "python", heading: "Signatures", by: "signatures.test.ts" },
	{ page: "CONTRIBUTING.md", language: "text", heading: "Where things are", by: "files.test.ts" },
	{
		page: "docs/internals.md",
		language: "text",
		heading: "Segments",
		by: "../../events/queue/segment-page.test.ts",
	},
	{
		page: "docs/internals.md",
		language: "text",
		heading: "Scale",
		by: { not: "half a minute of simulation; test/bench/ computes small cases of it by hand" },
	},
	{
		page: "docs/internals.md",
		language: "mermaid",
		heading: "The life of a delivery",
		by: { not: "a drawing; its transitions are tested in test/delivery/rules/" },
	},
];

/** Who looks after a block; null: nobody. */
export function claimOf(page: string, { language, heading }: Block): Claim["by"] | null {
	const found = CLAIMS.find(
		(claim) =>
			claim.language === language && (claim.page ?? page) === page && (claim.heading ?? heading) === heading,
	);
	return found?.by ?? null;
}
