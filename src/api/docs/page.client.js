// Renders /openapi.json into the page. Runs in the browser as it stands; texts are set as text, never as HTML.
"use strict";
/** The name of a schema that is referred to; undefined for one that stands where it is. */
function nameOf(schema) {
	return schema.$ref?.split("/").pop();
}

void (async () => {
	const main = document.getElementById("content");
	const contents = document.getElementById("contents");
	const state = document.getElementById("state");
	const search = document.getElementById("search");
	const all = document.getElementById("all");

	/** An element; strings among its children become text. */
	function el(tag, attributes, ...children) {
		const element = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
		element.append(...children.flat().filter((child) => child !== null));
		return element;
	}

	/** Text in which backticks mark code. */
	const rich = (text) =>
		String(text ?? "")
			.split("`")
			.map((part, index) => (index % 2 === 1 ? el("code", null, part) : part));

	let api;
	try {
		// Beside the page, wherever a proxy has put both.
		const response = await fetch("openapi.json");
		if (!response.ok) throw new Error(String(response.status));
		api = await response.json();
	} catch (error) {
		state.textContent = `The description cannot be loaded (${error.message}). Reload the page to try again.`;
		return;
	}

	const base = new URL(".", location.href).href.replace(/\/$/, "");
	const { schemas } = api.components;
	const codeTexts = new Map(
		schemas.Problem.properties.code.oneOf.map((code) => [code.const, code.description]),
	);
	const resolve = (schema) => (schema.$ref === undefined ? schema : schemas[nameOf(schema)]);

	function typeOf(schema) {
		if (schema.$ref !== undefined) return nameOf(schema);
		if (schema.const !== undefined) return JSON.stringify(schema.const);
		if (schema.enum !== undefined) return "one of";
		const parts = schema.anyOf ?? schema.oneOf;
		if (parts !== undefined) {
			const types = [...new Set(parts.map(typeOf))];
			return types.length > 3 ? "one of several" : types.join(" or ");
		}
		if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
		return [schema.format ?? schema.type ?? "any"].flat().join(" or ");
	}

	function factsOf(schema) {
		const facts = [];
		const say = (label, value) => value !== undefined && facts.push(`${label} ${value}`);
		const parts = [schema, ...(schema.anyOf ?? schema.oneOf ?? [])];
		for (const part of parts) {
			if (part.enum !== undefined) facts.push(part.enum.map((value) => JSON.stringify(value)).join(", "));
			say("at least", part.minimum);
			say("at most", part.maximum?.toLocaleString("en"));
			if (part.minLength > 0) facts.push("not empty");
			if (part.maxLength !== undefined) facts.push(`up to ${part.maxLength.toLocaleString("en")} characters`);
			if (part.maxItems !== undefined)
				facts.push(`up to ${part.maxItems} ${part.maxItems === 1 ? "entry" : "entries"}`);
		}
		if (schema.default !== undefined) facts.push(`by default ${JSON.stringify(schema.default)}`);
		if (schema.examples !== undefined) facts.push(`such as ${JSON.stringify(schema.examples[0])}`);
		return facts.join(" · ");
	}

	/** One row for each field, those of objects within behind a dot. */
	function rowsOf(schema, path, seen) {
		const { properties = {}, required = [], ...rest } = resolve(schema);
		const own = Object.entries(properties).flatMap(([name, property]) => {
			const at = path === "" ? name : `${path}.${name}`;
			const row = fieldRow(at, property, required.includes(name));
			const ref = nameOf(property);
			const inner =
				ref !== undefined && seen.includes(ref) ? [] : rowsOf(property, at, ref ? [...seen, ref] : seen);
			return [row, ...inner];
		});
		const parts = [...(rest.anyOf ?? rest.oneOf ?? []), ...(rest.items ? [rest.items] : [])];
		const alternatives = (rest.anyOf ?? rest.oneOf ?? []).filter((part) => part.type !== "null").length;
		const inner = parts.flatMap((part) => {
			const ref = nameOf(part);
			if (ref !== undefined && seen.includes(ref)) return [];
			const rows = rowsOf(part, path, ref ? [...seen, ref] : seen);
			return rows.map((row) => ({ ...row, of: alternatives }));
		});
		return merged([...own, ...inner]);
	}

	/** One row for each path: what alternatives say of a field is put together, and required is what all of them require. */
	function merged(rows) {
		return [...Map.groupBy(rows, ({ path }) => path).values()].map((same) => {
			const [first] = same;
			if (!(first.of > 1)) return first;
			const values = same.flatMap(({ schema }) => schema.const ?? schema.enum ?? []);
			const schema = values.length > 1 ? { ...first.schema, const: undefined, enum: values } : first.schema;
			return {
				path: first.path,
				schema,
				isRequired: same.length >= first.of && same.every((row) => row.isRequired),
			};
		});
	}

	function fieldRow(path, schema, isRequired) {
		return { path, schema, isRequired };
	}

	function table(rows) {
		const body = rows.map(({ path, schema, isRequired }) => {
			const facts = factsOf(schema);
			return el(
				"tr",
				null,
				el(
					"th",
					{ scope: "row" },
					el("code", null, path),
					isRequired ? el("span", { class: "need" }, " required") : null,
				),
				el("td", { class: "type" }, typeOf(schema)),
				el("td", null, rich(schema.description), facts === "" ? null : el("span", { class: "facts" }, facts)),
			);
		});
		const head = ["Field", "Type", "Meaning"].map((text) => el("th", { scope: "col" }, text));
		return el(
			"div",
			{ class: "scroll" },
			el("table", null, el("thead", null, el("tr", null, head)), el("tbody", null, body)),
		);
	}

	function schemaOf(schema) {
		const rows = rowsOf(schema, "", [nameOf(schema)]);
		return rows.length > 0 ? table(rows) : el("p", { class: "lead" }, typeOf(schema));
	}

	/** A command to be copied: the key comes from the environment. */
	function curlOf(method, path, operation) {
		const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
			const example = operation.parameters.find((parameter) => parameter.name === name)?.schema.examples?.[0];
			return example ?? name.toUpperCase();
		});
		const parts = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}'${base}${filled}'`];
		const isOfSource = operation.security?.some((scheme) => scheme.source !== undefined);
		if (operation.security === undefined) parts.push(`-H "authorization: Bearer $TOKEN"`);
		else if (isOfSource) parts.push(`-H "authorization: Bearer $SECRET"`);
		const content = operation.requestBody?.content["application/json"];
		const [example] = Object.values(content?.examples ?? {});
		if (example !== undefined) {
			parts.push("-H 'content-type: application/json'");
			parts.push(`-d '${JSON.stringify(example.value, null, 2).replaceAll("'", "'\\''")}'`);
		}
		return parts.join(" \\\n  ");
	}

	function copyable(text) {
		const button = el("button", { type: "button" }, "Copy");
		const pre = el("pre", { tabindex: "0" }, text);
		button.addEventListener("click", async () => {
			try {
				await navigator.clipboard.writeText(text);
				button.textContent = "Copied";
			} catch {
				// Without https, browsers give no clipboard: select the text for the keyboard.
				getSelection().selectAllChildren(pre);
				button.textContent = "Selected";
			}
			setTimeout(() => (button.textContent = "Copy"), 1500);
		});
		return el("div", { class: "copy" }, pre, button);
	}

	function headersOf(headers) {
		const rows = Object.entries(headers).map(([name, { description, schema }]) =>
			fieldRow(name, { ...schema, description }, false),
		);
		return rows.length > 0 ? [el("h4", null, "Headers"), table(rows)] : [];
	}

	function responseOf([status, { description, content = {}, headers = {} }]) {
		const [media] = Object.values(content);
		const codes = media?.schema.allOf?.[1]?.properties.code.enum;
		if (codes !== undefined) {
			const list = codes.flatMap((code) => [
				el("dt", null, el("code", null, code)),
				el("dd", null, rich(codeTexts.get(code))),
			]);
			return el(
				"details",
				{ class: "response" },
				el("summary", null, el("b", null, status), " ", rich(description)),
				el("div", null, el("dl", { class: "codes" }, list), headersOf(headers)),
			);
		}
		const summary = el("summary", null, el("b", null, status), " ", ...rich(description));
		const isJson = content["application/json"] !== undefined;
		return el(
			"details",
			{ class: "response" },
			summary,
			el("div", null, isJson ? schemaOf(media.schema) : "No JSON in the body.", headersOf(headers)),
		);
	}

	function section(title, ...children) {
		return [el("h3", null, title), ...children.flat()];
	}

	/** The fields of a JSON body, and what each content type holds that no schema describes. */
	function bodyOf(content) {
		const entries = Object.entries(content);
		const judged = entries.filter(([, { schema }]) => resolve(schema).properties !== undefined);
		const list = entries
			.filter((entry) => !judged.includes(entry))
			.flatMap(([type, { schema }]) => [
				el("dt", null, el("code", null, type)),
				el("dd", null, rich(schema.description)),
			]);
		const others = list.length > 0 ? [el("dl", { class: "codes" }, list)] : [];
		return [...judged.map(([, { schema }]) => schemaOf(schema)), ...others];
	}

	function fill(inside, method, path, operation) {
		const { description, parameters, requestBody, responses } = operation;
		const paragraphs = description?.split("\n\n") ?? [];
		inside.append(...paragraphs.map((text) => el("p", null, rich(text))));
		inside.append(...section("Example", copyable(curlOf(method, path, operation))));
		for (const [where, title] of Object.entries({
			path: "In the path",
			query: "In the query",
			header: "Headers",
		})) {
			const rows = parameters
				.filter((parameter) => parameter.in === where)
				.map(({ name, required, schema, description: text }) =>
					fieldRow(name, { ...schema, description: text }, required),
				);
			if (rows.length > 0) inside.append(...section(title, table(rows)));
		}
		if (requestBody !== undefined) {
			const title = requestBody.required ? "Body" : "Body (may be left out)";
			inside.append(...section(title, bodyOf(requestBody.content)));
		}
		inside.append(...section("Responses", ...Object.entries(responses).map(responseOf)));
	}

	function operationOf(method, path, operation) {
		const inside = el("div", { class: "inside" });
		const summary = el(
			"summary",
			null,
			el("span", { class: `method ${method}` }, method.toUpperCase()),
			el("code", null, path),
			el("span", { class: "text" }, operation.summary),
		);
		const details = el("details", { class: "op", id: operation.operationId }, summary, inside);
		// The address names what was opened last, so that it can be passed on.
		summary.addEventListener("click", () => {
			if (!details.open) history.replaceState(null, "", `#${operation.operationId}`);
		});
		// Filled when it is first opened: most never are.
		details.addEventListener("toggle", () => {
			if (details.open && inside.childElementCount === 0) fill(inside, method, path, operation);
		});
		return details;
	}

	/** All that can be searched for in an operation, references followed once. */
	function textOf(value, seen = new Set()) {
		if (typeof value !== "object" || value === null) return String(value);
		return Object.entries(value)
			.map(([key, inner]) => {
				if (key !== "$ref") return `${key} ${textOf(inner, seen)}`;
				if (seen.has(inner) || inner.endsWith("/Problem")) return "";
				seen.add(inner);
				return textOf(schemas[inner.split("/").pop()], seen);
			})
			.join(" ");
	}

	const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
	);
	state.remove();
	main.append(
		el("h1", null, `${api.info.title} API`),
		el("p", { class: "lead" }, rich(api.info.description)),
	);
	const shown = [];
	for (const { name, description } of api.tags) {
		const part = el(
			"section",
			{ "aria-label": name },
			el("h2", { id: name.replaceAll(" ", "-") }, name),
			el("p", { class: "lead" }, description),
		);
		const links = el("div", null, el("h2", null, name));
		for (const { method, path, operation } of operations.filter(
			({ operation }) => operation.tags[0] === name,
		)) {
			const details = operationOf(method, path, operation);
			const link = el("a", { href: `#${operation.operationId}` }, operation.summary);
			link.addEventListener("click", () => (details.open = true));
			part.append(details);
			links.append(link);
			shown.push({
				details,
				link,
				part,
				links,
				text: `${method} ${path} ${textOf(operation)}`.toLowerCase(),
			});
		}
		main.append(part);
		contents.append(links);
	}
	contents.append(el("div", null, el("h2", null, el("a", { href: "#error-codes" }, "Error codes"))));
	const none = el("p", { class: "lead", role: "status", hidden: "" }, "Nothing has these words.");
	const list = [...codeTexts].flatMap(([code, text]) => [
		el("dt", { id: code }, el("code", null, code)),
		el("dd", null, rich(text)),
	]);
	const codes = el(
		"section",
		{ "aria-label": "Error codes" },
		el("h2", { id: "error-codes" }, "Error codes"),
		el("dl", { class: "codes" }, list),
	);
	main.append(none, codes);

	search.addEventListener("input", () => {
		const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const { details, link, text } of shown) {
			details.hidden = link.hidden = !words.every((word) => text.includes(word));
		}
		for (const { part, links } of shown) {
			part.hidden = links.hidden = shown.every((other) => other.part !== part || other.details.hidden);
		}
		none.hidden = shown.some(({ details }) => !details.hidden);
		codes.hidden = words.length > 0;
	});
	document.addEventListener("keydown", (event) => {
		const isTyping = document.activeElement === search;
		const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
		if (event.key === "/" && !isTyping && isPlain) {
			event.preventDefault();
			search.focus();
		} else if (event.key === "Escape" && isTyping) endSearch();
	});
	function endSearch() {
		search.value = "";
		search.dispatchEvent(new Event("input"));
	}
	all.addEventListener("click", () => {
		const open = all.textContent === "Expand all";
		for (const { details } of shown) details.open = open;
		all.textContent = open ? "Collapse all" : "Expand all";
	});
	/** Opens what the address names. */
	function openNamed() {
		const named = document.getElementById(location.hash.slice(1));
		if (named?.closest("[hidden]")) endSearch();
		if (named instanceof HTMLDetailsElement) named.open = true;
		named?.scrollIntoView();
	}
	addEventListener("hashchange", openNamed);
	openNamed();
})();
