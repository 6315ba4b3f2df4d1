/** Kind `supabase`: the trigger of Sluice, and the webhooks that the dashboard makes. */
import { OURS, testSetupSql } from "./setup-sql.ts";

testSetupSql("supabase", [
	{ ...OURS, name: "pg_net", standIns: ["pg_net.sql"] },
	{ ...OURS, name: "pg_net", standIns: ["pg_net.sql"], auth: { type: "standard_webhooks" } },
	{
		...OURS,
		name: "database-webhooks",
		standIns: ["pg_net.sql", "supabase_functions.sql"],
		isOurs: false,
		bulkRows: 1_000,
	},
]);
