/** The replacement of `$replace`: `$1` is a group, `$0` the whole match, `$$` a dollar sign. */

/** A match, as JSONata's regular expressions return it. */
export interface Match {
	match: string;
	start: number;
	groups: readonly (string | undefined)[];
	next(): unknown;
}

/** As in JSONata: after `$`, as many digits are read as the number of groups has, or one fewer. */
export function expand(replacement: string, { match, groups }: Pick<Match, "match" | "groups">): string {
	const most = groups.length === 0 ? 1 : Math.floor(Math.log10(groups.length)) + 1;
	let expanded = "";
	let at = 0;
	for (let dollar = replacement.indexOf("$"); dollar !== -1; dollar = replacement.indexOf("$", at)) {
		expanded += replacement.slice(at, dollar);
		at = dollar + 1;
		const next = replacement.charAt(at);
		if (next === "$" || next === "0") {
			expanded += next === "$" ? "$" : match;
			at += 1;
			continue;
		}
		const group = groupNumber(replacement.slice(at, at + most), groups.length);
		if (group === null) {
			expanded += "$";
			continue;
		}
		expanded += groups[group - 1] ?? "";
		at += String(group).length;
	}
	return expanded + replacement.slice(at);
}

function groupNumber(digits: string, groups: number): number | null {
	const whole = Number.parseInt(digits, 10);
	const number = digits.length > 1 && whole > groups ? Number.parseInt(digits.slice(0, -1), 10) : whole;
	return Number.isNaN(number) ? null : number;
}
