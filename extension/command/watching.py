"""Gives footage somebody who looks at it: the configured via-server and VLM, or the embedded ones, for as long as a command runs."""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.pipeline.backtest.eyes import Eyes, ViaEyes
from extension.pipeline.backtest.footage import Footage
from extension.pipeline.backtest.rules import Rules
from extension.pipeline.backtest.run import Course, spans, watch
from extension.pipeline.patience import Patience
from extension.settings import Settings
from extension.stack.embedded import EmbeddedStack


@dataclass(frozen=True, slots=True)
class Lookers:
    """Who looks, and what there is to know of it.

    Attributes:
        eyes: Who is asked.
        model: The VLM's name.
        folder: Where files for it may be put; they are gone when the command ends.
        together: Windows asked about at the same time.
    """

    eyes: Eyes
    model: str
    folder: Path
    together: int


@contextmanager
def looking(settings: Settings, folders: Sequence[Path], console: Console, clock: Clock) -> Iterator[Lookers]:
    """Start what is needed to look at videos of some folders; all of it stops with the block.

    Raises:
        Unavailable: A program does not come up, or what is configured does not answer.
    """
    with _warnings_alone(), tempfile.TemporaryDirectory(prefix="timetravel-") as name:
        folder = Path(name)
        stack = EmbeddedStack(
            settings.model_copy(update={"data_dir": folder}),
            media_dirs=tuple(sorted(folders)),
            webhook=None,
            page=False,
            clock=clock,
            say=lambda text: console.print(f"[dim]{text}[/dim]"),
            service=False,
        )
        with stack:
            via = ViaClient(stack.via_url, timeout_s=settings.via_timeout_s)
            stop = threading.Event()
            patience = Patience(settings.patience_s, clock, stop)
            model = patience.until_available(via.model).id
            zero_copy = settings.via_zero_copy or not settings.via_backend
            eyes = ViaEyes(via, model, settings.max_tokens, patience, clock, zero_copy=zero_copy)
            try:
                yield Lookers(eyes, model, folder / "media" / "windows", settings.requests_in_flight)
            finally:
                stop.set()
                eyes.forget_all()


@contextmanager
def _warnings_alone() -> Iterator[None]:
    """Let only warnings of the pipeline through, beside what is printed for people."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def followed(
    footage: Footage, rules: Rules, eyes: Eyes, lookers: Lookers, name: str, console: Console
) -> Course:
    """Watch footage by rules, with a progress bar.

    Raises:
        BadInput: when there is no such prompt, or the footage cannot be read.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        total = len(spans(footage.length_s, rules.window_s, rules.stride_s))
        task = progress.add_task(f"{footage.name}, {name}", total=total)
        return watch(footage, rules, eyes, lookers.together, lambda: progress.advance(task))
