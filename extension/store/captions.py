"""Captions: the VLM's answers, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, or_, select

from extension.model import Caption
from extension.store import rows
from extension.store.database import Part
from extension.store.tables import CAPTIONS


class Captions(Part):
    """The part of the store that keeps captions."""

    def save_captions(self, job_id: str, captions: Sequence[Caption]) -> None:
        """Store captions; a chunk's new caption takes the place of its old one, but a failure never that of a verdict.

        Raises:
            BadInput: when there is no such job, or a caption has neither verdict nor failure.
        """
        if not captions:
            return
        insert = self._db.insert(CAPTIONS)
        new = insert.excluded
        keys = ("job_id", "chunk_index")
        upsert = insert.on_conflict_do_update(
            index_elements=list(keys),
            set_={column.name: new[column.name] for column in CAPTIONS.c if column.name not in keys},
            where=or_(CAPTIONS.c.verdict.is_(None), new.verdict.is_not(None)),
        )
        with self._db.write() as connection:
            connection.execute(upsert, [rows.caption_values(job_id, caption) for caption in captions])

    def captions(self, job_id: str, first: int = 0, limit: int | None = None) -> list[Caption]:
        """Captions in chunk order, from chunk `first` on, at most `limit` of them."""
        query = (
            select(CAPTIONS)
            .where(CAPTIONS.c.job_id == job_id, CAPTIONS.c.chunk_index >= first)
            .order_by(CAPTIONS.c.chunk_index)
            .limit(limit)
        )
        with self._db.read() as connection:
            return [rows.caption(row) for row in connection.execute(query).mappings()]

    def caption_costs(self, job_id: str, first: int = 0) -> list[tuple[int, str | None, dict[str, Any]]]:
        """Index, failure code (None: a verdict) and stats of a job's captions, in chunk order from chunk `first` on."""
        query = (
            select(CAPTIONS.c.chunk_index, CAPTIONS.c.failure_code, CAPTIONS.c.stats)
            .where(CAPTIONS.c.job_id == job_id, CAPTIONS.c.chunk_index >= first)
            .order_by(CAPTIONS.c.chunk_index)
        )
        with self._db.read() as connection:
            return [(index, code, stats) for index, code, stats in connection.execute(query)]

    def answered_indices(self, job_id: str) -> set[int]:
        """Chunks that need not be asked about: they have a verdict or a final failure."""
        query = select(CAPTIONS.c.chunk_index).where(CAPTIONS.c.job_id == job_id)
        with self._db.read() as connection:
            return set(connection.scalars(query))

    def forget_captions(self, job_id: str, before: int) -> None:
        """Remove the captions of a job's chunks before a number; what was judged from them stays."""
        query = delete(CAPTIONS).where(CAPTIONS.c.job_id == job_id, CAPTIONS.c.chunk_index < before)
        with self._db.write() as connection:
            connection.execute(query)
