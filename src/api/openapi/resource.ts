/** The descriptions of operations that sources, endpoints and subscriptions have in common. Pure. */
import type * as z from "zod";
import type { Code } from "./codes.ts";
import { ONCE, ONCE_CODES, PRECONDITIONS, PRECONDITION_CODES, replayable, tagged } from "./conditions.ts";
import {
	type FieldText,
	NOTHING,
	type NamedSchema,
	type OperationDescription,
	type RequestBody,
	pageOf,
} from "./operation.ts";
import { ROTATION, pageQueryOf } from "./shared.ts";

type Tag = OperationDescription["tag"];
type Response = readonly [text: string, schema: NamedSchema];

interface Described {
	readonly description?: string;
	readonly codes?: readonly Code[];
}

export interface ResourceDescription {
	readonly tag: Tag;
	/** `/v1/sources` */
	readonly path: string;
	/** The name with its article: `a source`. Summaries and operation ids are made from it. */
	readonly one: string;
	/** What `{ref}` in the path means. */
	readonly ref: FieldText;
	readonly notFound: Code;
	/** The response of lists and actions. */
	readonly shown: NamedSchema;
	readonly list: z.ZodObject;
	readonly read: Response;
	readonly create: Described & { readonly body: RequestBody; readonly made: Response };
	/** `written`: the response if it replaces a resource, and that of `change`. */
	readonly put: Described & {
		readonly body: RequestBody;
		readonly written: NamedSchema;
		readonly made: Response;
	};
	readonly change: Described & { readonly body: RequestBody };
	readonly remove: Described;
	/** `secret`: what is rotated. */
	readonly rotate?: Described & {
		readonly secret: string;
		readonly examples: RequestBody["examples"];
		readonly rotated: Response;
	};
	readonly pause: Described;
	readonly resume: Described;
}

/** Create, list, read, put, change, delete, rotate, pause and resume, in this order. */
export function commonOperations(resource: ResourceDescription): OperationDescription[] {
	const { path, one, shown, list, read, create, put, change, remove, rotate, notFound } = resource;
	const { noun, id, shared } = namesOf(resource);
	const at = { ...shared, path: `${path}/{ref}` };
	const changes = [notFound, "changed_meanwhile", ...PRECONDITION_CODES] as const;
	return [
		{
			...shared,
			...create,
			method: "post",
			path,
			id: `create${id}`,
			summary: `Create ${one}`,
			headers: ONCE,
			responses: { 201: replayable(tagged(...create.made)) },
			codes: [...ONCE_CODES, "name_taken", ...(create.codes ?? [])],
		},
		{
			...shared,
			method: "get",
			path,
			id: `list${id}s`,
			summary: `List ${noun}s`,
			query: pageQueryOf(list),
			responses: { 200: { text: `A page of ${noun}s.`, schema: pageOf(shown) } },
		},
		{
			...at,
			method: "get",
			id: `get${id}`,
			summary: `Read ${one}`,
			responses: { 200: tagged(...read) },
			codes: [notFound],
		},
		{
			...at,
			...put,
			method: "put",
			id: `put${id}`,
			summary: `Create or replace ${one}`,
			headers: PRECONDITIONS,
			responses: { 200: tagged("The resource has been replaced.", put.written), 201: tagged(...put.made) },
			codes: [...changes, ...(put.codes ?? [])],
		},
		{
			...at,
			...change,
			method: "patch",
			id: `change${id}`,
			summary: `Change ${one}`,
			headers: PRECONDITIONS,
			responses: { 200: tagged(`The ${noun}.`, put.written) },
			codes: [...changes, ...(change.codes ?? [])],
		},
		{
			...at,
			...remove,
			method: "delete",
			id: `delete${id}`,
			summary: `Delete ${one}`,
			headers: PRECONDITIONS,
			responses: { 204: NOTHING },
			codes: [notFound, ...PRECONDITION_CODES, ...(remove.codes ?? [])],
		},
		...(rotate === undefined ? [] : [rotationOf(resource, rotate)]),
		actionOf(resource, "pause", resource.pause),
		actionOf(resource, "resume", resource.resume),
	];
}

/** `POST …/{ref}/{action}`, which changes the resource and returns it. `action`: `pause`. */
export function actionOf(
	resource: ResourceDescription,
	action: string,
	{ description, codes = [] }: Described,
): OperationDescription {
	const { path, one, shown, notFound } = resource;
	const { noun, id, shared } = namesOf(resource);
	return {
		...shared,
		method: "post",
		path: `${path}/{ref}/${action}`,
		id: action + id,
		summary: `${capital(action)} ${one}`,
		...(description !== undefined && { description }),
		headers: PRECONDITIONS,
		responses: { 200: tagged(`The ${noun}.`, shown) },
		codes: [notFound, "changed_meanwhile", ...PRECONDITION_CODES, ...codes],
	};
}

function rotationOf(
	resource: ResourceDescription,
	rotate: NonNullable<ResourceDescription["rotate"]>,
): OperationDescription {
	const rotation = actionOf(resource, "secret/rotate", rotate);
	return {
		...rotation,
		id: `rotate${namesOf(resource).id}Secret`,
		summary: `Rotate the ${rotate.secret} of ${resource.one}`,
		headers: { ...PRECONDITIONS, ...ONCE },
		body: { schema: ROTATION, optional: true, examples: rotate.examples },
		responses: { 200: replayable(tagged(...rotate.rotated)) },
		codes: [...(rotation.codes ?? []), ...ONCE_CODES],
	};
}

function namesOf({ one, tag, ref }: ResourceDescription) {
	const noun = one.replace(/^an? /, "");
	return { noun, id: capital(noun), shared: { tag, params: { ref } } } as const;
}

function capital(word: string): string {
	return word.charAt(0).toUpperCase() + word.slice(1);
}
