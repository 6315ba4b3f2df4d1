"""Runs a module as `python -m` does, and leaves nothing of it behind: not when it is stopped, nor when the parent is killed.

Servers start workers in sessions of their own, which a signal to the process group does not reach. So a process in
between watches the parent's end of stdin, is told to stop, and adopts on Linux whatever the server leaves.
"""

import ctypes
import os
import runpy
import select
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    watcher = os.fork()
    if watcher == 0:
        # A signal that kills the process group spares it; stdin then tells it.
        os.setsid()
        sys.exit(watch())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(watcher, signal.SIGTERM))
    return os.waitstatus_to_exitcode(os.waitpid(watcher, 0)[1])


def watch() -> int:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = os.fork()
    if server == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        serve()
    try:
        while os.waitpid(server, os.WNOHANG) == (0, 0):
            readable = select.select([0], [], [], 0.2)[0]
            if readable and os.read(0, 1024) == b"":
                return 0
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_children(server)


def serve() -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = sys.argv[1:]
    # As `python -m` has it: the models lie in the working directory.
    sys.path[0] = os.getcwd()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    sys.exit(0)


def end_children(server: int) -> None:
    """The children of one that has ended become ours, so it goes on until there is none."""
    while True:
        for pid in children() if sys.platform == "linux" else [server]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            os.wait()
        except ChildProcessError:
            return


def children() -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                # The name of the program, in brackets, may have any character.
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid():
            found.append(int(name))
    return found


if __name__ == "__main__":
    sys.exit(main())
