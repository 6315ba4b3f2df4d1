/** The first bytes of image and sound formats, for outputs without a content type. */
import { Buffer } from "node:buffer";

/** A type, its first bytes in Latin-1, and their offset. */
const SIGNATURES: readonly (readonly [type: string, bytes: string, at: number])[] = [
	["image/png", "\x89PNG\r\n\x1a\n", 0],
	["image/jpeg", "\xff\xd8\xff", 0],
	["image/gif", "GIF8", 0],
	["image/webp", "WEBP", 8],
	["audio/wav", "WAVE", 8],
	["audio/ogg", "OggS", 0],
	["audio/flac", "fLaC", 0],
	["audio/mpeg", "ID3", 0],
	["audio/mpeg", "\xff\xfb", 0],
	["audio/mpeg", "\xff\xf3", 0],
];
const LONGEST = 16;

/** null: none of these types. */
export function mediaTypeOf(bytes: Uint8Array): string | null {
	const start = Buffer.from(bytes.subarray(0, LONGEST)).toString("latin1");
	return SIGNATURES.find(([, signature, at]) => start.startsWith(signature, at))?.[0] ?? null;
}
