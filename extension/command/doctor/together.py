"""Runs pieces of work side by side and waits only so long: what is not done by then is left to itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any


def together(work: Mapping[str, Callable[[], Any]], within_s: float) -> dict[str, Any]:
    """What each piece returned, by its name; those that did not return within `within_s` seconds in all are missing.

    The threads are no pool's: a piece that hangs must not keep the program from ending.
    """
    done: dict[str, Any] = {}
    left = threading.Semaphore(0)

    def run(name: str, piece: Callable[[], Any]) -> None:
        try:
            done[name] = piece()
        finally:
            left.release()

    for name, piece in work.items():
        threading.Thread(target=run, args=(name, piece), name=f"doctor-{name}", daemon=True).start()
    waiter = threading.Timer(within_s, lambda: left.release(len(work)))
    waiter.daemon = True
    waiter.start()
    for _ in work:
        left.acquire()
    waiter.cancel()
    return dict(done)
