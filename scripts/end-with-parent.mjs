/**
 * Loaded into a child process before its own code: when the parent ends, even by SIGKILL, the child and its descendants
 * end. Plain JavaScript, because any script may be the child.
 */
if (process.channel) {
	process.once("disconnect", () => {
		if (process.platform === "win32") process.exit(1);
		// 0 is the group of this process.
		process.kill(0, "SIGKILL");
	});
	// This listener alone must not keep the child running.
	process.channel.unref();
}
