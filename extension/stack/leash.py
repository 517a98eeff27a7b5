"""Becomes another program that dies with its parent: `python -m extension.stack.leash PARENT_PID PROGRAM ARGS...`.

Linux only, like the engine; a parent killed by SIGKILL could not stop its children itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# include/uapi/linux/prctl.h
_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Tie this process to its parent, then become `argv[1:]`."""
    parent, command = int(argv[0]), argv[1:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have died before the line above took hold.
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is our own program


if __name__ == "__main__":
    main(sys.argv[1:])
