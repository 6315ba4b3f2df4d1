/** Gives vitest's own waits, which end after a second, the patience of this project; none asks for less. */
import { vi } from "vitest";
import { PATIENCE_MS } from "./patience.ts";

const { waitFor, waitUntil } = vi;

vi.waitFor = (check, options) => waitFor(check, patient(options));
vi.waitUntil = (check, options) => waitUntil(check, patient(options));

function patient(options: number | { interval?: number } = {}) {
	return { ...(typeof options === "object" && options), timeout: PATIENCE_MS };
}
