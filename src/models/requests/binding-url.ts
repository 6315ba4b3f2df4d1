/**
 * URLs that name something the Worker is bound to instead of a host: a model of Workers AI, a queue of Cloudflare, a
 * service within a private network. They have exactly these forms:
 *
 *     workers-ai:@cf/meta/llama-3.1-8b-instruct
 *     queue:BINDING
 *     vpc:BINDING/path?query
 */

export type BindingUrl =
	| { scheme: "workers-ai"; model: string }
	| { scheme: "queue"; binding: string }
	/** `path` includes the query; empty, or begins with a slash or a question mark. */
	| { scheme: "vpc"; binding: string; path: string };

export type BindingScheme = BindingUrl["scheme"];

const SCHEME = /^(workers-ai|queue|vpc):/;
const MODEL = /^workers-ai:(@(?:cf|hf)\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/[A-Za-z0-9][A-Za-z0-9._-]{0,127})$/;
const QUEUE = /^queue:([A-Za-z_][A-Za-z0-9_]{0,63})$/;
/**
 * Visible ASCII without characters that a URL parser would interpret differently.
 */
const VPC = /^vpc:([A-Za-z_][A-Za-z0-9_]{0,63})((?:\/[!$-;=?-[\]_a-z~]*)?(?:\?[!$-;=?-[\]_a-z~]*)?)$/;

/** The binding scheme of `url`, whatever follows it; null: not a binding URL. */
export function bindingSchemeOf(url: string): BindingScheme | null {
	return (SCHEME.exec(url)?.[1] ?? null) as BindingScheme | null;
}

/** null: not a binding URL, or not in the required form. */
export function readBindingUrl(url: string): BindingUrl | null {
	const model = MODEL.exec(url)?.[1];
	if (model !== undefined) return { scheme: "workers-ai", model };
	const queue = QUEUE.exec(url)?.[1];
	if (queue !== undefined) return { scheme: "queue", binding: queue };
	const [, binding, path] = VPC.exec(url) ?? [];
	return binding === undefined ? null : { scheme: "vpc", binding, path: path ?? "" };
}

/** Text without the characters that a URL of a VPC binding cannot have. */
export function inVpcUrl(text: string): string {
	return text.replaceAll(/[^!$-;=?-[\]_a-z~]/g, encodeURIComponent);
}

/**
 * What the service behind a VPC binding is called at. The binding decides where the request goes; the host only becomes
 * the `host` header.
 */
export function vpcHttpUrl({ binding, path }: Extract<BindingUrl, { scheme: "vpc" }>): string {
	return `http://${binding.toLowerCase().replaceAll("_", "-")}${path}`;
}

/** The required form of a URL of each scheme. */
export const BINDING_FORMS: Readonly<Record<BindingScheme, string>> = {
	"workers-ai": "workers-ai:@cf/{author}/{model}",
	queue: "queue:{BINDING}",
	vpc: "vpc:{BINDING}/{path}",
};
