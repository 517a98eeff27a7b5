"""Lets go of old evidence while the service runs: by age and by bytes, never that of an open incident."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import structlog

from extension.clock import Clock
from extension.errors import NotFound
from extension.evidence.expiry import expire, stored, sweep
from extension.evidence.retention import Keep, surplus
from extension.model import Phase
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_EVERY_S: Final = 900.0
"""Evidence is kept for months; looking through a hundred thousand folders takes a second or two."""


class Retiring:
    """Keeps evidence within its limits; `run` does the work, in a thread of its own.

    Args:
        store: Tells which incidents are open.
        outputs_dir: Of all jobs, one folder each.
        keep: How much evidence stays.
        clock: The wall clock.
        stop: Ends it.
        every_s: How long to rest between two looks, seconds.
    """

    def __init__(
        self,
        store: Store,
        outputs_dir: Path,
        keep: Keep,
        clock: Clock,
        stop: threading.Event,
        every_s: float = _EVERY_S,
    ) -> None:
        self._store = store
        self._outputs_dir = outputs_dir
        self._keep = keep
        self._clock = clock
        self._stop = stop
        self._every_s = every_s

    def run(self) -> None:
        """Let go of what is too old or too much, again and again, until the service stops."""
        while not self._stop.is_set():
            self.once()
            self._stop.wait(self._every_s)

    def once(self) -> tuple[str, ...]:
        """Let go of it once; the ids of the incidents whose evidence went. What cannot be removed is tried again next time."""
        sweep(self._outputs_dir)
        now_at = self._clock.now()
        gone: list[str] = []
        freed_bytes = 0
        for one in surplus(stored(self._outputs_dir), now_at, self._keep, self._open):
            try:
                expire(one, now_at)
            except OSError as exc:
                _LOG.warning("evidence_stays", incident=one.incident_id, reason=exc.strerror)
                continue
            gone.append(one.incident_id)
            freed_bytes += one.size_bytes
        if gone:
            _LOG.info("evidence_expired", incidents=len(gone), freed_bytes=freed_bytes)
        return tuple(gone)

    def _open(self, incident_id: str) -> bool:
        try:
            return self._store.incident(incident_id).phase is Phase.OPEN
        except NotFound:
            return False  # merged into another one when its job was judged again
