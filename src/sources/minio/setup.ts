/**
 * The set-up of MinIO: a webhook target of the server, then the buckets that use it. Without a queue on disk, MinIO keeps
 * undelivered notifications only in memory, if at all.
 */
import type { Setup, SetupStep, SetupTarget, SetupVariant } from "../kind.ts";
import { setupAfterAuthChange } from "../setup/static-proof.ts";

/** MinIO sends one token, as `Authorization: Bearer TOKEN`. It cannot set other headers. */
export function minioSetup(target: SetupTarget): Setup {
	const { type } = target.source.auth;
	const isUrlEnough = type === "url_token" || type === "none";
	if (!isUrlEnough && type !== "bearer") return setupAfterAuthChange(target, { auth: { type: "bearer" } });
	const settings: Settings = {
		id: targetId(target.source.name),
		endpoint: target.url,
		token: isUrlEnough ? null : target.secret,
		queueDir: `/var/lib/minio-events/${target.source.name}`,
	};
	return { variants: [inEnvironment(settings), inConfiguration(settings)] };
}

interface Settings {
	id: string;
	endpoint: string;
	/** null if the URL is enough. */
	token: string | null;
	queueDir: string;
}

function inEnvironment({ id, endpoint, token, queueDir }: Settings): SetupVariant {
	const names = {
		ENABLE: "on",
		ENDPOINT: endpoint,
		...(token !== null && { AUTH_TOKEN: token }),
		QUEUE_DIR: queueDir,
		QUEUE_LIMIT: String(QUEUE_LIMIT),
	};
	const lines = Object.entries(names).map(([name, value]) => `MINIO_NOTIFY_WEBHOOK_${name}_${id}="${value}"`);
	return {
		name: "environment",
		title: "MinIO that reads its settings from an environment file, as /etc/default/minio",
		steps: [
			makeQueueDir(queueDir),
			{
				title: "Add to the environment of every server, and restart them",
				language: "shell",
				code: lines.join("\n"),
			},
			...bucketSteps(id),
		],
		remove: {
			title: `Stop the bucket from notifying; then remove the lines with _${id} and restart`,
			language: "shell",
			code: eventCode("remove", id),
		},
	};
}

function inConfiguration({ id, endpoint, token, queueDir }: Settings): SetupVariant {
	const values = {
		endpoint,
		...(token !== null && { auth_token: token }),
		queue_dir: queueDir,
		queue_limit: String(QUEUE_LIMIT),
	};
	const pairs = Object.entries(values).map(([name, value]) => `  ${name}="${value}"`);
	const set = [
		"ALIAS='<ALIAS>'",
		`mc admin config set "$ALIAS" notify_webhook:${id} \\`,
		pairs.join(" \\\n"),
	];
	const restart = 'mc admin service restart "$ALIAS"';
	return {
		name: "mc",
		title: "MinIO that stores its own settings",
		steps: [
			makeQueueDir(queueDir),
			{
				title: "Create the target; it works after the restart",
				language: "shell",
				code: [...set, restart].join("\n"),
			},
			...bucketSteps(id),
		],
		remove: {
			title: "Stop the bucket from notifying, and remove the target",
			language: "shell",
			code: [eventCode("remove", id), `mc admin config reset "$ALIAS" notify_webhook:${id}`, restart].join(
				"\n",
			),
		},
	};
}

/** MinIO's own default. Above it, events are lost. */
const QUEUE_LIMIT = 100_000;

function makeQueueDir(queueDir: string): SetupStep {
	return {
		title:
			"On every server, as the user that MinIO runs as: where events wait while the router cannot be reached",
		language: "shell",
		code: `mkdir -p '${queueDir}'`,
	};
}

function bucketSteps(id: string): SetupStep[] {
	return [
		{ title: "Let the bucket notify the target", language: "shell", code: eventCode("add", id) },
		{ title: "Check that it does", language: "shell", code: 'mc event ls "$ALIAS/$BUCKET"' },
	];
}

function eventCode(action: "add" | "remove", id: string): string {
	const again = action === "add" ? " --ignore-existing" : "";
	return [
		"ALIAS='<ALIAS>'",
		"BUCKET='<BUCKET>'",
		`mc event ${action} "$ALIAS/$BUCKET" arn:minio:sqs::${id}:webhook --event put,delete${again}`,
	].join("\n");
}

/** The last part of an environment variable's name. Each source has its own target. */
function targetId(sourceName: string): string {
	return `SLUICE_${sourceName.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}
