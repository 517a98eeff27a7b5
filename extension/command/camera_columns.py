"""Watches labelled clips by sets of rules: one column of figures for each. Prints nothing but progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from extension.clock import SystemClock
from extension.command.backtest_shapes import second_looks_of, windows_of
from extension.command.camera_labels import ClipLabel
from extension.command.camera_scoring import Clip, Found, Windows, score
from extension.command.watching import Lookers, followed, looking
from extension.errors import BadInput
from extension.pipeline.backtest.eyes import Eyes, Memory, wording
from extension.pipeline.backtest.footage import VideoFile
from extension.pipeline.backtest.rules import Rules, read
from extension.pipeline.backtest.run import Course
from extension.settings import Settings

_ON: Final = "on"
_COUNTED: Final = ("all", "asked", "not asked")


@dataclass(frozen=True, slots=True)
class Clips:
    """Labelled clips and the folder that they lie in."""

    folder: Path
    labels: Sequence[ClipLabel]


@dataclass(frozen=True, slots=True)
class Column:
    """What one set of rules came to.

    Attributes:
        name: What people call the rules.
        rules: Them.
        clips: Clip by clip.
        twin: The same under the same rules without the gate, where they have one: what it costs is told against that.
    """

    name: str
    rules: Rules
    clips: tuple[Clip, ...]
    twin: tuple[Clip, ...] | None = None


def sorted_out(
    clips: Sequence[ClipLabel], folder: Path, *, skip_absent: bool
) -> tuple[list[ClipLabel], list[str]]:
    """The clips that are there, and the names of those that are not.

    Raises:
        BadInput: when one is not there and shall not be skipped, or none is.
    """
    present = [clip for clip in clips if (folder / clip.file).is_file()]
    absent = [clip.file for clip in clips if clip not in present]
    if absent and not skip_absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise BadInput(f"{absent[0]}{more}: there is no such clip (--skip-absent goes on without)")
    if not present:
        raise BadInput("none of the labelled clips is there")
    return present, absent


def named_rules(files: Iterable[Path]) -> list[tuple[str, Rules]]:
    """The rules of some files by name; without files the usual ones, with and without gate and second look.

    Raises:
        BadInput: A file is wrong, or two have one name.
    """
    sets = [(path.stem, read(path)) for path in files]
    if len({name for name, _ in sets}) < len(sets):
        raise BadInput("two files of rules have the same name")
    plain = Rules(second_look=False)
    return sets or [
        ("plain", plain),
        ("gate", plain.changed(gate=_ON)),
        ("second look", plain.changed(second_look=True)),
        ("both", plain.changed(gate=_ON, second_look=True)),
    ]


def watched(
    configured: Settings,
    clips: Clips,
    sets: Sequence[tuple[str, Rules]],
    tolerance_s: float,
    console: Console,
) -> tuple[str, list[Column]]:
    """Watch clips by every set of rules; the VLM's name, and what each set came to.

    Raises:
        BadInput: A clip cannot be watched, or there is no such prompt.
        Unavailable: Nobody can look.
    """
    for _, rules in sets:
        wording(rules.prompt, rules.language, rules.frames)
    films = [VideoFile(clips.folder / label.file) for label in clips.labels]
    folders = sorted({film.path.resolve().parent for film in films})
    with looking(configured, folders, console, SystemClock()) as lookers:
        memory = Memory(lookers.eyes)
        pairs = list(zip(clips.labels, films, strict=True))
        watch_all = partial(_watched, pairs, memory, lookers, tolerance_s, console)
        return lookers.model, [
            Column(
                name,
                rules,
                watch_all(name, rules),
                watch_all(f"{name}, gate off", rules.changed(gate="off")) if rules.gate == _ON else None,
            )
            for name, rules in sets
        ]


def _watched(
    pairs: Sequence[tuple[ClipLabel, VideoFile]],
    eyes: Eyes,
    lookers: Lookers,
    tolerance_s: float,
    console: Console,
    name: str,
    rules: Rules,
) -> tuple[Clip, ...]:
    return tuple(
        scored(label, film.length_s, followed(film, rules, eyes, lookers, name, console), tolerance_s)
        for label, film in pairs
    )


def scored(label: ClipLabel, length_s: float, course: Course, tolerance_s: float) -> Clip:
    """What watching a clip came to, against its labels."""
    events = [event.labelled() for event in label.events]
    found = tuple(Found(i.kind, i.span.start_s, i.span.end_s, i.severity) for i in course.incidents)
    ends = windows_of(course.captions)
    return Clip(
        name=label.file,
        length_s=length_s,
        found=found,
        score=score(events, found, tolerance_s),
        any_kind=score(events, found, tolerance_s, kinds=False),
        windows=Windows(
            all=ends["all"],
            asked=sum(caption.asked for caption in course.captions),
            gated=ends.get("not asked", 0),
            failed=sum(count for name, count in ends.items() if name not in _COUNTED),
            second_looks=second_looks_of(caption.stats for caption in course.captions),
        ),
    )
