/**
 * Loaded into a child process before its own code: when the parent is gone, and be it by SIGKILL, the child ends with
 * everything it started. Plain JavaScript, because any script may be the child.
 */
if (process.channel) {
	process.once("disconnect", () => {
		if (process.platform === "win32") process.exit(1);
		// 0 is the group that this process is in.
		process.kill(0, "SIGKILL");
	});
	// Listening alone must not keep the child running.
	process.channel.unref();
}
