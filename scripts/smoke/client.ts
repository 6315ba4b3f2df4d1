/** HTTP client for the smoke test. Its errors explain what is wrong. Never prints a secret. */

/** What is wrong, and what to check. */
export class SmokeFailure extends Error {
	override readonly name = "SmokeFailure";
	readonly hint: string;

	constructor(message: string, hint: string) {
		super(message);
		this.hint = hint;
	}
}

export interface Answer {
	status: number;
	/** The `code` of a problem document; empty if there is none. */
	code: string;
	detail: string;
	body: Record<string, unknown>;
	text: string;
}

export interface Asked {
	method?: string;
	token: string | null;
	body?: unknown;
	/** Aborts the request, for example after Ctrl-C. */
	signal?: AbortSignal;
}

/** Timeout of a request, ms: longer than the router keeps one waiting. */
const TIMEOUT_MS = 20_000;

/** Returns any response of the router. Throws a `SmokeFailure` if there is no response. */
export async function request(url: string, { method = "GET", token, body, signal }: Asked): Promise<Answer> {
	try {
		const response = await fetch(url, {
			method,
			redirect: "manual",
			signal: AbortSignal.any([...(signal === undefined ? [] : [signal]), AbortSignal.timeout(TIMEOUT_MS)]),
			headers: {
				...(token !== null && { authorization: `Bearer ${token}` }),
				...(body !== undefined && { "content-type": "application/json" }),
			},
			...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
		});
		const text = await response.text();
		const parsed = objectOf(text);
		const { code, detail } = parsed;
		return {
			status: response.status,
			code: typeof code === "string" ? code : "",
			detail: typeof detail === "string" ? detail : text.slice(0, 200),
			body: parsed,
			text,
		};
	} catch (error) {
		if (signal?.aborted === true) throw error;
		throw unreachable(new URL(url), error);
	}
}

/** Returns `{}` for anything but a JSON object. */
function objectOf(text: string): Record<string, unknown> {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

/** Explains why there was no response. Node puts the reason into the cause. */
function unreachable({ host, hostname }: URL, error: unknown): SmokeFailure {
	const code = codeOf(error);
	if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
		const hint =
			"Check the name. After a first deploy, a workers.dev name takes about a minute to appear in DNS.";
		return new SmokeFailure(`DNS does not know ${hostname}.`, hint);
	}
	if (code === "ECONNREFUSED") {
		return new SmokeFailure(
			`Nothing is listening at ${host}.`,
			"Check host and port. For a local router: is `npm run dev` running?",
		);
	}
	if (/CERT|TLS|SSL/.test(code)) {
		const hint =
			"The certificate of a new domain takes some minutes. Also check that the URL does not mix up http:// and https://.";
		return new SmokeFailure(`TLS with ${host} fails (${code}).`, hint);
	}
	if (error instanceof Error && error.name === "TimeoutError") {
		return new SmokeFailure(
			`${host} has not responded within ${TIMEOUT_MS / 1000} s.`,
			"Try it with curl -v.",
		);
	}
	return new SmokeFailure(`${host} could not be reached (${code || String(error)}).`, "Try it with curl -v.");
}

function codeOf(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined;
	return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
}
