"""Measures the memory of a process and all its descendants, from /proc."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree_rss_bytes(root_pid: int) -> int:
    """Resident memory in bytes of a process and its descendants; pages they share count for each."""
    parents, resident = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8", "replace")
                pages = int((entry / "statm").read_text("ascii").split()[1])
            except (OSError, IndexError, ValueError):
                continue
            # The command's name, in parentheses, may hold anything; the parent's id is second after it.
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
            resident[int(entry.name)] = pages * _PAGE_BYTES
    return sum(rss for pid, rss in resident.items() if _descends(pid, root_pid, parents))


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    seen = 0
    while pid and pid != root and seen < len(parents):
        pid, seen = parents.get(pid, 0), seen + 1
    return pid == root


class PeakMemory:
    """Samples the memory of this process and its descendants in a thread, and keeps the peak."""

    def __init__(self, every_s: float = 0.2) -> None:
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak-memory", daemon=True)
        self.peak_bytes = 0

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> int:
        """End sampling; returns the peak in bytes."""
        self._stop.set()
        self._thread.join()
        return self.peak_bytes

    def _run(self) -> None:
        while True:
            self.peak_bytes = max(self.peak_bytes, tree_rss_bytes(os.getpid()))
            if self._stop.wait(self._every_s):
                return
