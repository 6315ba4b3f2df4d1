/** The refusal of a request that no route accepts. It names the methods of the path, or the path that was probably meant. */
import { Problem } from "../../http/problem.ts";
import type { OperationDescription } from "../openapi/operation.ts";
import { OPERATIONS } from "../openapi/operations.ts";

/** In the order in which they are named. */
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

type Route = Pick<OperationDescription, "method" | "path">;

/** 405 `method_not_allowed` with `allow` if the path has other methods, else 404 `not_found`. Pure. */
export function unknownRoute(method: string, path: string, routes: readonly Route[] = OPERATIONS): Problem {
	const methods = methodsOf(path, routes);
	if (methods.length > 0) {
		const allow = methods.flatMap((one) => (one === "GET" ? ["GET", "HEAD"] : [one])).join(", ");
		const detail = `${path} does not support ${method}. Use ${methods.join(", ")}.`;
		return new Problem(405, "method_not_allowed", detail, { headers: { allow } });
	}
	return new Problem(404, "not_found", `There is no ${method} ${path}. ${directions(method, path, routes)}`);
}

function directions(method: string, path: string, routes: readonly Route[]): string {
	const bare = path.replace(/\/+$/, "");
	if (bare !== path && methodsOf(bare, routes).length > 0) return `Leave out the slash at the end: ${bare}.`;
	if (methodsOf(`/v1${path}`, routes).includes(method)) return `The API is under /v1: ${method} /v1${path}.`;
	return "The page /docs lists every route.";
}

function methodsOf(path: string, routes: readonly Route[]): string[] {
	const parts = path.split("/");
	const matching = routes.filter((route) => {
		const wanted = route.path.split("/");
		return (
			wanted.length === parts.length &&
			wanted.every((part, index) => (part.startsWith("{") ? parts[index] !== "" : part === parts[index]))
		);
	});
	return METHODS.filter((method) => matching.some((route) => route.method.toUpperCase() === method));
}
