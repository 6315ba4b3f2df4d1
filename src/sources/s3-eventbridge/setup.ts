/** The set-up of EventBridge for the events of a bucket, with AWS CLI commands. */
import type { SourceAuth } from "../../store/records.ts";
import type { Setup, SetupTarget } from "../kind.ts";
import { notificationsCode } from "../setup/s3-notifications.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

export function s3EventbridgeSetup(target: SetupTarget): Setup {
	const { source, url, secret } = target;
	const connection = connectionParameters(source.auth, secret);
	if (connection === null) {
		return setupAfterAuthChange(target, { auth: { type: "header", name: "x-api-key" } });
	}
	const name = `sluice-${source.name}`.slice(0, 64);
	const steps = [
		{ title: "Let the bucket notify EventBridge; other notifications stay", code: bucketCode(true) },
		{ title: "Create the connection and the destination", code: destinationCode(name, url, connection) },
		{ title: "Send the bucket's events there", code: ruleCode(name) },
	].map((step) => ({ ...step, language: "shell" as const }));
	return {
		variants: [
			{
				name: "aws-cli",
				title: "AWS CLI and jq, all steps in one shell",
				steps,
				remove: {
					title: "Remove everything; the bucket then sends EventBridge nothing, for other rules either",
					language: "shell",
					code: removeCode(name),
				},
			},
		],
	};
}

interface Connection {
	type: "API_KEY" | "BASIC";
	parameters: object;
}

/** EventBridge always sends credentials, so it gets a dummy value if the source requires none. */
function connectionParameters(auth: SourceAuth, secret: string): Connection | null {
	if (auth.type === "basic") {
		return {
			type: "BASIC",
			parameters: { BasicAuthParameters: { Username: auth.username, Password: secret } },
		};
	}
	const proof = staticProof(auth, secret);
	if (proof === null) return null;
	const [[header, value] = ["x-api-key", "unused"]] = Object.entries(proof.headers);
	return {
		type: "API_KEY",
		parameters: { ApiKeyAuthParameters: { ApiKeyName: header, ApiKeyValue: value } },
	};
}

function bucketCode(isOn: boolean): string {
	return [
		"export AWS_REGION='<REGION>'",
		// Version 1 of the CLI only knows this name for the region.
		'export AWS_DEFAULT_REGION="$AWS_REGION"',
		notificationsCode(isOn ? ".EventBridgeConfiguration = {}" : "del(.EventBridgeConfiguration)"),
	].join("\n");
}

/** The URL is passed in JSON, because version 1 of the CLI would fetch an argument that is a URL. */
function destinationCode(name: string, url: string, { type, parameters }: Connection): string {
	const endpoint = JSON.stringify({ InvocationEndpoint: url, HttpMethod: "POST" });
	return [
		`aws events describe-connection --name ${name} > /dev/null 2>&1 && verb=update || verb=create`,
		`CONNECTION=$(aws events "$verb-connection" --name ${name} --authorization-type ${type} \\`,
		`  --auth-parameters '${JSON.stringify(parameters)}' --query ConnectionArn --output text)`,
		`aws events describe-api-destination --name ${name} > /dev/null 2>&1 && verb=update || verb=create`,
		`DESTINATION=$(aws events "$verb-api-destination" --name ${name} --connection-arn "$CONNECTION" \\`,
		`  --cli-input-json '${endpoint}' --query ApiDestinationArn --output text)`,
	].join("\n");
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html, "service-linked role". */
function ruleCode(name: string): string {
	const trust = {
		Version: "2012-10-17",
		Statement: [
			{ Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sts:AssumeRole" },
		],
	};
	return [
		`aws iam get-role --role-name ${name} > /dev/null 2>&1 ||`,
		`  aws iam create-role --role-name ${name} --assume-role-policy-document '${JSON.stringify(trust)}'`,
		`aws iam put-role-policy --role-name ${name} --policy-name invoke --policy-document \\`,
		`  "{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[{\\"Effect\\":\\"Allow\\",\\"Action\\":\\"events:InvokeApiDestination\\",\\"Resource\\":\\"$DESTINATION\\"}]}"`,
		`ROLE=$(aws iam get-role --role-name ${name} --query Role.Arn --output text)`,
		`aws events put-rule --name ${name} --event-pattern \\`,
		`  "{\\"source\\":[\\"aws.s3\\"],\\"detail\\":{\\"bucket\\":{\\"name\\":[\\"$BUCKET\\"]}}}"`,
		`aws events put-targets --rule ${name} --targets "Id=sluice,Arn=$DESTINATION,RoleArn=$ROLE"`,
	].join("\n");
}

function removeCode(name: string): string {
	return [
		bucketCode(false),
		`aws events remove-targets --rule ${name} --ids sluice`,
		`aws events delete-rule --name ${name}`,
		`aws events delete-api-destination --name ${name}`,
		`aws events delete-connection --name ${name}`,
		`aws iam delete-role-policy --role-name ${name} --policy-name invoke`,
		`aws iam delete-role --role-name ${name}`,
	].join("\n");
}
