/** Kind `postgres`: the trigger of Sluice, by each way in which a server can send. */
import { hasPython, OURS, testSetupSql } from "./setup-sql.ts";

testSetupSql("postgres", [
	{ ...OURS, name: "pg_net", standIns: ["pg_net.sql"], bulkRows: 10_000 },
	{ ...OURS, name: "pgsql-http", standIns: ["pgsql_http.sql"], blocks: true },
	{ ...OURS, name: "plpython3u", blocks: true, isInstalled: hasPython() },
]);
