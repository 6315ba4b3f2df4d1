import { expect, test } from "vitest";
import { mediaTypeOf } from "../../../src/models/responses/media-signature.ts";

test.each([
	["\x89PNG\r\n\x1a\n....", "image/png"],
	["\xff\xd8\xff\xe0..JFIF", "image/jpeg"],
	["GIF89a", "image/gif"],
	["RIFF....WEBPVP8 ", "image/webp"],
	["RIFF....WAVEfmt ", "audio/wav"],
	["OggS\0", "audio/ogg"],
	["ID3\x04", "audio/mpeg"],
	["\xff\xfb\x90", "audio/mpeg"],
	['{"a":1}', null],
	["", null],
	["\x89PN", null],
])("%j is %s", (bytes, type) => {
	expect(mediaTypeOf(Buffer.from(bytes, "latin1"))).toBe(type);
});
