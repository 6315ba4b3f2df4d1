/** A minimal router for comparison: puts requests into the queue and sends them on to every endpoint. */
interface Env {
	EVENTS: Queue<string>;
	/** Comma-separated URLs. */
	ENDPOINTS: string;
}

export default {
	async fetch(request, env) {
		await env.EVENTS.send(await request.text(), { contentType: "text" });
		return Response.json({ ok: true }, { status: 202 });
	},
	async queue(batch, env) {
		const endpoints = env.ENDPOINTS.split(",");
		await Promise.all(
			batch.messages.map(async (message) => {
				const sent = await Promise.all(endpoints.map((url) => post(url, message.body)));
				if (sent.every(Boolean)) message.ack();
				else message.retry();
			}),
		);
	},
} satisfies ExportedHandler<Env, string>;

async function post(url: string, body: string): Promise<boolean> {
	const response = await fetch(url, {
		method: "POST",
		body,
		headers: { "content-type": "application/json" },
	});
	await response.body?.cancel();
	return response.ok;
}
