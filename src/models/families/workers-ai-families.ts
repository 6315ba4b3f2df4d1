/**
 * For each family of Workers AI models, the member that an input becomes if it is not an object; and the
 * models that cannot be called with JSON. From the models' schemas in
 * https://developers.cloudflare.com/workers-ai/models/
 */

/** null: the model does not accept this kind of value alone. */
export interface Family {
	text: { member: string; as: "text" | "message" } | null;
	texts: string | null;
	messages: string | null;
	bytes: { member: string; as: "base64" | "numbers" } | null;
	/** The object that the model needs if nothing else fits, as in `{text, target_lang}`; null: any. */
	needs: string | null;
}

const NONE: Family = { text: null, texts: null, messages: null, bytes: null, needs: null };

function text(member: string): Family {
	return { ...NONE, text: { member, as: "text" } };
}

function bytes(member: string, as: "base64" | "numbers"): Family {
	return { ...NONE, bytes: { member, as } };
}

/** The first pattern that matches the model's name, without its author, wins. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
	[/rerank/i, { ...NONE, needs: "{query, contexts}" }],
	[/^(?:bge-|plamo-embedding|embeddinggemma|qwen3-embedding)/i, { ...text("text"), texts: "text" }],
	[/^m2m100/i, { ...NONE, needs: "{text, target_lang}" }],
	[/^indictrans/i, { ...NONE, needs: "{text, target_language}" }],
	[/^(?:whisper-large-v3-turbo|nemotron-speech|smart-turn)/i, bytes("audio", "base64")],
	[/^whisper/i, bytes("audio", "numbers")],
	[/^(?:resnet|detr-resnet|uform|llava)/i, bytes("image", "numbers")],
	[/^moondream/i, text("question")],
	[/^(?:distilbert|aura)/i, text("text")],
	[/^bart-large-cnn/i, text("input_text")],
	[/^gpt-oss/i, { ...text("input"), messages: "input" }],
	[/^(?:flux-1|stable-diffusion|dreamshaper|lucid-origin|phoenix|melotts)/i, text("prompt")],
];

/** Every model that generates text accepts messages; the newer ones accept no `prompt`. */
const GENERATES_TEXT: Family = {
	...NONE,
	text: { member: "messages", as: "message" },
	messages: "messages",
};

/** `model` as in `@cf/author/model`. Models without a match generate text. */
export function familyOf(model: string): Family {
	const name = nameOf(model);
	return FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? GENERATES_TEXT;
}

/** By the whole model, because the names alone are those of other models as well. */
const UNSUPPORTED: readonly (readonly [RegExp, string])[] = [
	[/\/deepgram\/flux/i, "accepts only WebSocket connections"],
	[/\/deepgram\/nova/i, "accepts audio only as a stream"],
	[/\/flux-2/i, "accepts input only as a multipart form"],
];

/** Why the router cannot call the model, as the end of a sentence; null: it can. */
export function refuseModel(model: string): string | null {
	return UNSUPPORTED.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}

function nameOf(model: string): string {
	return model.slice(model.lastIndexOf("/") + 1);
}
