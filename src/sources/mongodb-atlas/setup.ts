/** The set-up of MongoDB Atlas: the Function that posts the change event of a trigger, and where to put it. */
import type { SourceAuth } from "../../store/records.ts";
import type { Setup, SetupTarget } from "../kind.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

/** Atlas App Services, "Define a Value": names have up to 64 characters, including the name of the secret. */
const MAX_NAME_LENGTH = 57;

export function mongodbAtlasSetup(target: SetupTarget): Setup {
	const { source, url, secret } = target;
	const name = `sluice_${source.name.replaceAll(/\W/g, "_")}`.slice(0, MAX_NAME_LENGTH);
	const proof = proofLines(source.auth, name);
	if (proof === null) return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const secretName = `${name}_secret`;
	const usesSecret = proof.some((line) => line.includes("secret"));
	const secretForm = [
		"Atlas → Triggers → Linked App Service: Triggers → Values → Create New Value",
		`1. Type Secret, name ${secretName}, content: ${secret}`,
		`2. Type Value, name ${name}, linked to the secret ${secretName}`,
	];
	const triggerForm = [
		"Atlas → Triggers → Add Trigger",
		"Trigger type:    Database, watching a collection",
		"Operation types: insert, update, replace, delete",
		"Full document:   on",
		`Event type:      Function, ${name}: paste the code of the next step`,
	];
	const steps = [
		{ title: "Add the trigger", language: "text" as const, code: triggerForm.join("\n") },
		{ title: `The function ${name}`, language: "javascript" as const, code: functionCode(url, proof) },
	];
	const secretStep = { title: "Store the secret", language: "text" as const, code: secretForm.join("\n") };
	const remove = `Delete the trigger, its function, the value ${name} and the secret ${secretName}.`;
	return {
		variants: [
			{
				name: "atlas-function",
				title: "A database trigger with a function",
				steps: usesSecret ? [secretStep, ...steps] : steps,
				remove: { title: "Remove it", language: "text", code: remove },
			},
		],
	};
}

/** Returns statements that build `headers` for `body`; a header's value is a list there. null: not possible. */
function proofLines(auth: SourceAuth, valueName: string): string[] | null {
	const readSecret = `  const secret = context.values.get(${JSON.stringify(valueName)});`;
	if (auth.type === "standard_webhooks") {
		return [
			readSecret,
			'  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");',
			"  const id = change._id._data;",
			"  const timestamp = String(Math.floor(Date.now() / 1000));",
			'  const signature = require("crypto")',
			'    .createHmac("sha256", key)',
			`    .update([id, timestamp, body].join("."))`,
			'    .digest("base64");',
			'  headers["webhook-id"] = [id];',
			'  headers["webhook-timestamp"] = [timestamp];',
			'  headers["webhook-signature"] = ["v1," + signature];',
		];
	}
	const marker = "\u0000";
	const proof = staticProof(auth, marker);
	if (proof === null) return null;
	const headers = Object.entries(proof.headers);
	if (headers.length === 0) return [];
	return [
		readSecret,
		...headers.map(
			([name, value]) =>
				`  headers[${JSON.stringify(name)}] = [${JSON.stringify(value.replace(marker, ""))} + secret];`,
		),
	];
}

/** https://www.mongodb.com/docs/atlas/atlas-ui/triggers/functions/: a trigger is not run again if the function throws. */
function functionCode(url: string, proof: readonly string[]): string {
	return [
		"exports = async function (change) {",
		"  const body = EJSON.stringify(change);",
		'  const headers = { "Content-Type": ["application/json"] };',
		...proof,
		"  let status;",
		"  for (let attempt = 1; attempt <= 3; attempt++) {",
		"    try {",
		`      const response = await context.http.post({ url: ${JSON.stringify(url)}, headers, body });`,
		"      status = response.statusCode;",
		"    } catch (error) {",
		"      status = String(error);",
		"    }",
		"    if (status >= 200 && status < 300) return;",
		"  }",
		'  throw new Error("Sluice did not accept the change: " + status);',
		"};",
	].join("\n");
}
