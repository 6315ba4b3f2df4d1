/** The status of a subscription that is replaced: nobody gets past a grant that is missing. */
import { expect, test } from "vitest";
import type { Principal } from "../../../src/api/access/principal.ts";
import { statusAfterReplacement } from "../../../src/api/subscriptions/requests.ts";
import { NO_SCOPE } from "../../../src/store/access/keys.ts";
import type { SubscriptionStatus } from "../../../src/store/records.ts";

const KEY: Principal = {
	id: "key_a",
	name: "a",
	role: "subscriber",
	scope: { ...NO_SCOPE, sources: ["own"] },
};
const SAME = "src_same";

test.each<[SubscriptionStatus, string, string, SubscriptionStatus | undefined, SubscriptionStatus]>([
	// former, source id, its name, named status, and what follows
	["active", SAME, "own", undefined, "active"],
	["active", SAME, "own", "paused", "paused"],
	["paused", SAME, "own", undefined, "paused"],
	["paused", SAME, "own", "active", "active"],
	// What has been granted stays so, and its owner may pause it and let it go on.
	["active", SAME, "other", undefined, "active"],
	["paused", SAME, "other", "active", "active"],
	["requested", SAME, "other", "active", "requested"],
	["denied", SAME, "other", "active", "denied"],
	["requested", SAME, "own", undefined, "requested"],
	["denied", SAME, "own", "paused", "denied"],
	["denied", SAME, "own", "active", "active"],
	["active", "src_new", "other", "active", "requested"],
	["denied", "src_new", "other", undefined, "requested"],
	["denied", "src_new", "own", undefined, "active"],
	["paused", "src_new", "own", undefined, "paused"],
	// From an exported document: a request takes back no grant, and no denial.
	["active", SAME, "own", "requested", "active"],
	["paused", SAME, "own", "requested", "paused"],
	["denied", SAME, "own", "requested", "denied"],
	["active", "src_new", "own", "requested", "requested"],
	["requested", SAME, "own", "denied", "denied"],
	["active", SAME, "own", "denied", "denied"],
	["denied", "src_new", "own", "denied", "denied"],
])("%s, source %s (%s), named %s: %s", (status, id, name, wanted, expected) => {
	expect(statusAfterReplacement(KEY, { sourceId: SAME, status }, { id, name }, wanted)).toBe(expected);
});
