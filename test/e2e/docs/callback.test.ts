/** docs/models.md, "Callback": the lines of a model server that posts its output do what the page says. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { unique } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import { setting } from "../support/setting.ts";
import { blocksOf, PROJECT } from "./markdown.ts";

const run = promisify(execFile);
const stage = setting();
const DOCS = readFileSync(join(PROJECT, "docs/models.md"), "utf8");
const LINES = blocksOf(DOCS, "sh")
	.filter(({ heading, code }) => heading === "Callback" && code.startsWith("curl "))
	.map(({ code }) => code);

test("there is one line for an output and one for a failure", () => {
	expect(LINES.map((line) => line.includes("sluice-status"))).toEqual([false, true]);
});

test("an output is taken, and posted again it has no effect", async () => {
	const { id, post } = await waiting();
	expect(await post(LINES[0])).toEqual({ id, effect: "taken" });
	expect(await stage.api.delivery(id)).toMatchObject({
		status: "succeeded",
		result: { text: "Invoice INV-2041" },
	});
	expect(await post(LINES[0])).toEqual({ id, effect: "none" });
});

test("a failure ends the delivery as a response with that status would", async () => {
	const { id, post } = await waiting();
	expect(await post(LINES[1])).toEqual({ id, effect: "taken" });
	expect(await stage.api.delivery(id)).toMatchObject({
		status: "dead",
		reason: "rejected",
		attempts: [{ outcome: "accepted", status_code: 202, job: { by: "callback", outcome: "bad_input" } }],
	});
});

test("a server made of the lines of the page responds, and posts its output when it has it", async () => {
	const [code = ""] = blocksOf(DOCS, "js").map((block) => block.code);
	const server = `const runJob = async (input) => ({ text: input.path });
		const sent = [];
		const response = { writeHead: (status) => (sent.push(status), response), end: () => sent.push("end") };
		const [request, input] = [{ headers: { "sluice-callback-url": process.env.CALLBACK_URL } }, { path: "1.png" }];
		${code}
		console.log(JSON.stringify(sent));`;
	const { id, env } = await waiting();
	const { stdout } = await run(process.execPath, ["--input-type=module", "-e", server], { env });
	expect(JSON.parse(stdout)).toEqual([202, "end"]);
	expect(await stage.api.delivery(id)).toMatchObject({ status: "succeeded", result: { text: "1.png" } });
});

/** A delivery that waits for its output, its server's environment, and what runs a line of the page as that server would. */
async function waiting() {
	const { api, receiver } = stage;
	const model = receiver.model(answer(202));
	const { id: endpoint } = await api.createEndpoint({ url: model.url, completion: { mode: "callback" } });
	const type = unique("scan");
	await api.createSubscription({ endpoint, types: [type] });
	await api.publish({ type, data: {} });
	const { headers } = await model.request();
	const filters = { endpoint };
	const { id } = await api.deliveryWhen(filters, ({ status }) => status === "waiting");
	const env = { ...process.env, CALLBACK_URL: String(headers["sluice-callback-url"]) };
	const post = async (line = "") => {
		const { stdout } = await run("bash", ["-c", line], { env });
		return JSON.parse(stdout) as unknown;
	};
	return { id, env, post };
}
