"""Runs a program that ends when its parent ends, even by kill -9.

    python tether.py PARENT ACCOUNT COMMAND...

PARENT is the process number of whoever starts us. ACCOUNT is `-`, or `UID:GID` to become first: a
program that changes its account later cuts its tether by that. On Linux the kernel sends the
program a SIGTERM when the parent's starting thread is gone, and no process is added. Elsewhere we
stay as a watcher. A file of its own on the standard library alone, so that it starts in a moment.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_S = 0.5


def main(parent: int, account: str, command: list[str]) -> int:
    """Run the command; returns only where the platform needs a watcher."""
    if account != "-":
        uid, _, gid = account.partition(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone before we asked
            return 0
        os.execvp(command[0], command)
    child = subprocess.Popen(command)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda number, _frame: child.send_signal(number))
    while child.poll() is None:
        if os.getppid() != parent:
            child.terminate()
            return child.wait()
        time.sleep(WATCH_S)
    return child.returncode


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
