/** The set-up of Event Grid with Azure CLI commands. */
import type { Setup, SetupTarget } from "../kind.ts";
import { setupAfterAuthChange, staticProof } from "../setup/static-proof.ts";

/**
 * Delivery in the CloudEvents schema. Its handshake needs no authentication, so it cannot fail if Event Grid omits
 * headers from the first request.
 */
export function azureEventgridSetup(target: SetupTarget): Setup {
	const { source, url, secret } = target;
	const proof = staticProof(source.auth, secret);
	if (proof === null) return setupAfterAuthChange(target, { auth: { type: "url_token" } });
	const name = `sluice-${source.name.replaceAll(/[^A-Za-z0-9-]/g, "-")}`.slice(0, 64);
	const id = `--name ${name} --source-resource-id "$RESOURCE"`;
	const headers = Object.entries(proof.headers).map(
		([header, value]) => ` \\\n  --delivery-attribute-mapping ${header} static '${value}' true`,
	);
	const resource = [
		"RESOURCE=$(az storage account show --name '<STORAGE ACCOUNT>' --resource-group '<GROUP>' --query id --output tsv)",
	];
	const create = [
		...resource,
		`az eventgrid event-subscription create ${id} \\`,
		`  --endpoint-type webhook --endpoint '${url}' \\`,
		"  --event-delivery-schema cloudeventschemav1_0 \\",
		`  --included-event-types Microsoft.Storage.BlobCreated Microsoft.Storage.BlobDeleted${headers.join("")}`,
	];
	const remove = [...resource, `az eventgrid event-subscription delete ${id}`];
	return {
		variants: [
			{
				name: "az",
				title: "Azure CLI; for topics other than a storage account, use their resource id",
				steps: [{ title: "Subscribe", language: "shell", code: create.join("\n") }],
				remove: { title: "End the subscription", language: "shell", code: remove.join("\n") },
			},
		],
	};
}
