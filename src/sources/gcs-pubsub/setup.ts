/** The set-up of Pub/Sub push and bucket notifications with Google Cloud CLI commands. */
import type { KnownSource } from "../../store/records.ts";
import type { Setup, SetupTarget } from "../kind.ts";
import { setupAfterAuthChange } from "../setup/static-proof.ts";

export function gcsPubsubSetup(target: SetupTarget): Setup {
	const { source, url } = target;
	const { type } = source.auth;
	if (type !== "google_oidc" && type !== "url_token" && type !== "none") {
		return setupAfterAuthChange(target, { auth: { type: "google_oidc", email: "<SERVICE ACCOUNT EMAIL>" } });
	}
	const name = `sluice-${source.name}`;
	const steps = [
		{
			title: "Let the bucket notify a topic, which is created if it is missing",
			code: notificationCode(name),
		},
		{ title: "Let the topic push here", code: subscriptionCode(name, url, source) },
	].map((step) => ({ ...step, language: "shell" as const }));
	const remove = [
		`gcloud pubsub subscriptions delete ${name}`,
		"BUCKET='<BUCKET>'",
		"gcloud storage buckets notifications list gs://$BUCKET --format=json |",
		`  jq -r '.. | objects | select(.topic? // "" | endswith("/topics/${name}")) | .id' |`,
		`  xargs -I{} gcloud storage buckets notifications delete projects/_/buckets/$BUCKET/notificationConfigs/{}`,
		`gcloud pubsub topics delete ${name}`,
	];
	return {
		variants: [
			{
				name: "gcloud",
				title: "Google Cloud CLI; if you already have a topic, run only the second step, with its name",
				steps,
				remove: { title: "Remove everything", language: "shell", code: remove.join("\n") },
			},
		],
	};
}

/** A second notification to the same topic would send everything twice. */
function notificationCode(topic: string): string {
	return [
		"BUCKET='<BUCKET>'",
		`gcloud storage buckets notifications list gs://$BUCKET --format=json | grep -q '/topics/${topic}"' ||`,
		`  gcloud storage buckets notifications create gs://$BUCKET --topic=${topic} \\`,
		"    --payload-format=json --event-types=OBJECT_FINALIZE,OBJECT_DELETE",
	].join("\n");
}

function subscriptionCode(name: string, url: string, { auth }: KnownSource): string {
	const oidc =
		auth.type === "google_oidc"
			? ` \\\n  --push-auth-service-account='${auth.email}' --push-auth-token-audience='${auth.audience ?? url}'`
			: "";
	const push = `--push-endpoint='${url}'${oidc}`;
	return [
		...(auth.type === "google_oidc" ? serviceAccountCode(auth.email) : []),
		`gcloud pubsub subscriptions describe ${name} > /dev/null 2>&1 ||`,
		// By default a subscription is deleted after 31 days without a message.
		`  gcloud pubsub subscriptions create ${name} --topic=${name} --ack-deadline=30 --expiration-period=never`,
		`gcloud pubsub subscriptions modify-push-config ${name} ${push}`,
	].join("\n");
}

function serviceAccountCode(email: string): string[] {
	return [
		`gcloud iam service-accounts describe '${email}' > /dev/null 2>&1 ||`,
		`  gcloud iam service-accounts create '${email.split("@")[0]}'`,
	];
}
