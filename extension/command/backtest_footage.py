"""Watches stored footage by one or two sets of rules: files, or what the ring still holds of a camera."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from extension.clock import Clock
from extension.command.backtest_options import moment
from extension.command.backtest_shapes import Side, Trial, second_looks_of, windows_of
from extension.command.watching import Lookers, followed, looking
from extension.errors import BadInput
from extension.model import Brief
from extension.pipeline.backtest import rules as rules_file
from extension.pipeline.backtest.eyes import Memory, wording
from extension.pipeline.backtest.footage import Footage, Recorded, reels_of
from extension.pipeline.backtest.rules import Rules
from extension.settings import Settings
from extension.sources.camera import book_file
from extension.sources.camera.zones import Briefs


@dataclass(frozen=True, slots=True)
class Named:
    """Rules and what people call them."""

    name: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class OfCamera:
    """What of the ring is wanted: a camera, and from when until when, as people write it."""

    camera: str
    begin: str | None
    end: str | None


def watch_footage(
    settings: Settings,
    what: Sequence[Path] | OfCamera,
    sets: Sequence[Named],
    console: Console,
    clock: Clock,
) -> list[Trial]:
    """Watch footage by every set of rules; what two sets ask alike is asked once.

    Raises:
        BadInput: Videos, rules or times are wrong.
        NotFound: The ring holds nothing of the camera at that time.
        Unavailable: Nobody can look.
    """
    for one in sets:
        wording(one.rules.prompt, one.rules.language, one.rules.frames)
    # Whatever is wrong with the input is said before anything is started.
    files = [] if isinstance(what, OfCamera) else list(reels_of(what))
    folders = sorted({file.path.resolve().parent for file in files})
    if isinstance(what, OfCamera):
        _recorded(settings, what, Path())
    with looking(settings, folders, console, clock) as lookers:
        footage: list[Footage] = list(files)
        if isinstance(what, OfCamera):
            footage.append(_recorded(settings, what, lookers.folder))
        return [_trial(one, sets, lookers, console) for one in footage]


def sets_of(
    settings: Settings,
    camera: str | None,
    present: Path | None,
    against: Path | None,
    changes: dict[str, object],
) -> list[Named]:
    """The present rules, and the changed ones where something changes.

    Args:
        settings: Name the cameras' file.
        camera: Whose rules the present ones are, where no file names them.
        present: File of the present rules.
        against: File of the changed rules.
        changes: Of rules, by name; None stands for no change.

    Raises:
        BadInput: A file is wrong, the changes do not fit, or both a file and changes are given.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if against is not None and given:
        raise BadInput("--against names all changed rules: leave the options that change one away")
    base = rules_file.read(present) if present is not None else _usual(settings, camera)
    name = present.stem if present is not None else "present"
    if against is not None:
        return [Named(name, base), Named(against.stem, rules_file.read(against))]
    if given:
        return [Named(name, base), Named("changed", base.changed(**given))]
    return [Named(name, base)]


def _usual(settings: Settings, camera: str | None) -> Rules:
    """The rules that the cameras' file gives a camera, else the usual ones; and what the settings say for all."""
    entries = book_file.load(settings.cameras_file) if camera and settings.cameras_file else []
    known = next((rules_file.of_entry(entry) for entry in entries if entry.name == camera), Rules())
    return known.changed(
        frames=settings.frames_per_chunk or None, second_look=None if settings.second_look else False
    )


def _recorded(settings: Settings, wanted: OfCamera, folder: Path) -> Recorded:
    tz = ZoneInfo(settings.timezone)
    begin_at, end_at = (_at(text, tz) for text in (wanted.begin, wanted.end))
    brief = _brief(settings, wanted.camera)
    return Recorded(settings.data_dir / "ring", wanted.camera, begin_at, end_at, folder, brief)


def _brief(settings: Settings, camera: str) -> Brief:
    """What is said of the camera's place now: on the page, or in the cameras' file."""
    entries = book_file.load(settings.cameras_file) if settings.cameras_file else []
    filed = {entry.name: entry.brief() for entry in reversed(entries)}
    return Briefs(settings.data_dir / "cameras", filed).of(camera)[0] if camera in filed else Brief()


def _at(text: str | None, tz: dt.tzinfo) -> dt.datetime | None:
    return moment(text, tz) if text is not None else None


def _trial(footage: Footage, sets: Sequence[Named], lookers: Lookers, console: Console) -> Trial:
    memory = Memory(lookers.eyes)
    sides = []
    for one in sets:
        course = followed(footage, one.rules, memory, lookers, one.name, console)
        sides.append(
            Side(
                name=one.name,
                rules=one.rules.model_dump(mode="json"),
                incidents=course.incidents,
                windows=windows_of(course.captions),
                second_looks=second_looks_of(caption.stats for caption in course.captions),
            )
        )
    return Trial(footage.name, footage.start_at, footage.length_s, tuple(sides))
