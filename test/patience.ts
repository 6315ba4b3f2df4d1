/**
 * How long a test waits for what it expects before it fails: an upper bound for a machine with twenty others at work,
 * never what is measured.
 */
export const PATIENCE_MS = 60_000;
