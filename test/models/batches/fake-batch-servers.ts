/**
 * Model servers that take a request of any number of inputs. What they say of an input follows from it alone, with
 * digits that no JavaScript number holds, so that it has to be the same in a batch.
 */

type Tensor = { name: string; shape: number[]; datatype: string; data: unknown[] };

/** The body of the response to a request's body, by protocol. */
export const SERVERS: Record<string, (body: string) => string> = {
	"open-inference": (body) => {
		const { id, inputs } = JSON.parse(body) as { id: string; inputs: Tensor[] };
		const rows = inputs[0]?.shape[0] ?? 0;
		const perRow = inputs.map(({ data, shape }) => {
			const flat = data.flat(Infinity);
			const size = shape.slice(1).reduce((product, length) => product * length, 1);
			if (flat.length !== rows * size) throw new Error("the data does not fill the shape");
			return Array.from({ length: rows }, (_, row) => flat.slice(row * size, (row + 1) * size));
		});
		const seen = Array.from({ length: rows }, (_, row) => perRow.map((each) => each[row]));
		const texts = seen.map((row) => JSON.stringify(JSON.stringify(row)));
		const numbers = seen.map((row) => `${JSON.stringify(row).length},9007199254740993,1.50`);
		return `{"model_name":"m","id":"${id}","parameters":{"a":[1.0]},"outputs":[${[
			`{"name":"text","shape":[${rows},1],"datatype":"BYTES","data":[${texts.join(",")}]}`,
			`{"name":"flat","shape":[${rows},3],"datatype":"FP64","parameters":{"x":1.0},"data":[${numbers.join(",")}]}`,
			`{"name":"nested","shape":[${rows},3],"datatype":"FP64","data":[${numbers.map((row) => `[${row}]`).join(",")}]}`,
			`{"name":"scalar","shape":[${rows}],"datatype":"INT64","data":[${seen.map((row) => JSON.stringify(row).length).join(",")}]}`,
		].join(",")}]}`;
	},
	"kserve-v1": (body) => {
		const { instances } = JSON.parse(body) as { instances: unknown[] };
		return `{"predictions":[${instances.map(said).join(",")}],"modelVersionId":"3"}`;
	},
	"openai-embeddings": (body) => {
		const { input } = JSON.parse(body) as { input: unknown[] };
		const items = input.map(
			(text, index) =>
				`{"object":"embedding","index":${index},"embedding":[${JSON.stringify(text).length},0.10,9007199254740993],"of":${said(text)}}`,
		);
		return `{"object":"list","data":[${items.toReversed().join(",")}],"model":"m","usage":{"prompt_tokens":7}}`;
	},
	huggingface: (body) => {
		const { inputs } = JSON.parse(body) as { inputs: unknown };
		return `[${(Array.isArray(inputs) ? inputs : [inputs]).map(said).join(",")}]`;
	},
};

function said(input: unknown): string {
	return `{"echo":${JSON.stringify(input)},"id":9007199254740993,"score":1.50}`;
}
