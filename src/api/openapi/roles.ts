/** Which roles may use an operation, from the table of rights. Pure. */
import { ROLES, type Role } from "../../store/access/keys.ts";
import { type Grade, gradeOf, routeName } from "../access/rights.ts";
import type { OperationDescription } from "./operation.ts";

/** The roles that may use an operation; `own`: for resources that the key names. */
export type Roles = Partial<Record<Role, Grade>>;

/** null: the operation needs no API key. */
export function rolesOf({ method, path, access = "key" }: OperationDescription): Roles | null {
	if (access !== "key") return null;
	const route = routeName(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ":$1"));
	const grades = ROLES.map((role) => [role, gradeOf(route, role)] as const);
	return Object.fromEntries(grades.filter(([, grade]) => grade !== null));
}

/** One sentence, for people. */
export function rolesText(roles: Roles): string {
	const having = (grade: Grade) => ROLES.filter((role) => roles[role] === grade).map((role) => `\`${role}\``);
	const [all, own] = [having("all"), having("own")];
	const named = own.length === 0 ? "" : `; ${own.join(", ")} for resources that the key names`;
	return `Roles: ${all.join(", ")}${named}.`;
}
