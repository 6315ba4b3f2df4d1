/**
 * The column `quarantine`: which expression of a source or subscription is set aside, and why. To clear it, update the
 * record with `quarantine: null`.
 */
import * as z from "zod";
import type { Env } from "../../env.ts";
import type { Overrun, Quarantine } from "../../events/expressions/set-aside.ts";
import { readColumn } from "../columns.ts";
import { bumpRoutingVersion } from "../rows.ts";
import { withSchema } from "../schema.ts";

export const quarantineSchema: z.ZodType<Quarantine> = z.object({
	field: z.string(),
	reason: z.string(),
	at: z.number(),
});

/**
 * Returns null if there is none, or if a newer release wrote it in another form; the expression is then tried once
 * more.
 */
export function quarantineFromColumn(column: string | null): Quarantine | null {
	return column === null ? null : readColumn(quarantineSchema, column);
}

export function quarantineToColumn(quarantine: Quarantine | null): string | null {
	return quarantine && JSON.stringify(quarantine);
}

/**
 * Sets the expression aside if it is still the one that overran and no other one is set aside. Returns the name of its
 * owner, or null if nothing has changed.
 */
export async function storeQuarantine(
	env: Env,
	{ ownerId, stored, ...quarantine }: Overrun,
): Promise<string | null> {
	const isSource = ownerId.startsWith("src_");
	const table = isSource ? "sources" : "subscriptions";
	const { column, bound } = isSource ? sourceField(quarantine.field) : subscriptionField(quarantine.field);
	const sql = `UPDATE ${table} SET quarantine = ?, updated_at = max(updated_at + 1, ?), revision = revision + 1
		WHERE id = ? AND quarantine IS NULL AND ${column} = ? RETURNING name`;
	const [updated] = await withSchema(env, (db) =>
		db.batch<{ name: string }>([
			db.prepare(sql).bind(quarantineToColumn(quarantine), quarantine.at, ownerId, ...bound, stored),
			bumpRoutingVersion(db),
		]),
	);
	return updated?.results[0]?.name ?? null;
}

/** SQL for the stored text of a field, and its parameters. */
interface StoredField {
	column: string;
	bound: string[];
}

const SOURCE_FIELDS: readonly string[] = ["event_type", "subject", "dedupe_key"];

function sourceField(field: string): StoredField {
	if (!SOURCE_FIELDS.includes(field)) throw new Error(`a source has no expression ${field}`);
	return { column: field, bound: [] };
}

function subscriptionField(field: string): StoredField {
	if (field === "transform") return { column: field, bound: [] };
	if (field === "result.transform") return { column: "result ->> ?", bound: ["$.transform"] };
	const [list, ...rest] = field.split(".");
	if (list !== "filters") throw new Error(`a subscription has no expression ${field}`);
	const path = rest.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("");
	return { column: "filters ->> ?", bound: [`$${path}`] };
}
