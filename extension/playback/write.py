"""Writes a job's summary: words, pictures, video. A picture that cannot be made is named in the result and costs nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from extension.errors import BadInput
from extension.playback.excerpt import Excerpt
from extension.playback.film import Film, Shown, Stopped, fitting, write_film
from extension.playback.redrawn import Redrawn
from extension.sources.probe import probe
from extension.timetravel.summary import Summary
from extension.timetravel.summary_places import presence
from extension.timetravel.summary_tongues import Language, tongue
from extension.timetravel.summary_wire import HEAT_MAP, TIMELINE, VIDEO, SummaryOut, json_name, text_name
from extension.timetravel.trajectory import Trajectory

_STOPPED: Final = "the service stopped meanwhile"


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that could not be made, or not wholly, and why, in a few words without paths."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of writing a summary: names of the files that are there, and what is missing."""

    files: tuple[str, ...]
    missing: tuple[Missing, ...]


def _always() -> bool:
    return True


def write_summary(
    folder: Path,
    summary: Summary,
    video: Path,
    trajectory: Trajectory | None = None,
    film: Film | None = None,
    keep_going: Callable[[], bool] = _always,
) -> Made:
    """Write the summary of a job into its folder of outputs, each file at once; files of an earlier run are replaced or removed.

    Args:
        folder: Where to; made when missing.
        summary: What to write.
        video: The source video; pictures are cut from it where there is no log.
        trajectory: The log behind the video: the heat map and the video are drawn from it.
        film: How the video looks; None makes none.
        keep_going: Asked before each frame of the video; false gives the video up.

    Raises:
        OSError: The folder cannot be made, or the words cannot be written: then nothing can.
    """
    folder.mkdir(parents=True, exist_ok=True)
    desk = _Desk(folder)
    for language in Language:
        page = SummaryOut.of(summary, language).model_dump_json(indent=2)
        desk.write(text_name(language), tongue(language).write(summary).markdown())
        desk.write(json_name(language), page + "\n")
    desk.make(TIMELINE, lambda part: _draw_timeline(summary, part))
    if trajectory is None:
        desk.remove(HEAT_MAP)
    else:
        desk.make(HEAT_MAP, lambda part: _draw_heat_map(summary, trajectory, part))
    if film is None:
        desk.remove(VIDEO)
    else:
        desk.make(VIDEO, lambda part: _film(part, summary, video, trajectory, film, keep_going))
    return Made(files=tuple(sorted(desk.files)), missing=tuple(desk.missing))


@dataclass
class _Desk:
    """A folder that files are put into whole, and what came of each."""

    folder: Path
    files: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Put words in place."""
        part = self._part(name)
        with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)
        self.files.append(name)

    def make(self, name: str, draw: Callable[[Path], str | None]) -> None:
        """Have a picture or a video drawn and put it in place; when that fails, say why, and let no old one stand for it."""
        part = self._part(name)
        try:
            reason = draw(part)
            part.replace(self.folder / name)
        except Stopped:
            self._fail(name, _STOPPED)
        except (BadInput, ValueError, ArithmeticError, MemoryError) as exc:
            self._fail(name, str(exc) or type(exc).__name__)
        except OSError as exc:
            self._fail(name, exc.strerror or type(exc).__name__)
        else:
            self.files.append(name)
            if reason:
                self.missing.append(Missing(name, reason))
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Let no file of an earlier run stand for one that this run does not make."""
        with suppress(OSError):
            (self.folder / name).unlink(missing_ok=True)

    def _fail(self, name: str, reason: str) -> None:
        self.missing.append(Missing(name, reason))
        self.remove(name)

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.part"


def _draw_timeline(summary: Summary, part: Path) -> None:
    from extension.charts.timeline import draw_timeline

    draw_timeline(summary, part)


def _draw_heat_map(summary: Summary, trajectory: Trajectory, part: Path) -> None:
    from extension.charts.heat_map import draw_heat_map

    draw_heat_map(summary, presence(trajectory), part)


def _film(
    part: Path,
    summary: Summary,
    video: Path,
    trajectory: Trajectory | None,
    film: Film,
    keep_going: Callable[[], bool],
) -> str | None:
    """Write the video; what it lacks, where it lacks something."""
    with ExitStack() as opened:
        anchored = all(moment.start_at for moment in summary.shown_moments)
        if trajectory is not None and anchored:
            redrawn = Redrawn(trajectory, film.width, film.height, film.fps, film.slow)
            shown = write_film(part, summary, redrawn, film, keep_going)
        elif not summary.shown:
            shown = write_film(part, summary, None, film, keep_going)
        else:
            info = probe(video)
            film = fitting(film, info.width, info.height)
            film = replace(film, fps=max(1, min(film.fps, round(info.fps) or film.fps)))
            size = film.width, film.height
            # As long as it was when it was analysed: a file that lost its end shows what it has.
            media_s = summary.coverage.media_s or info.duration_s
            excerpt = opened.enter_context(Excerpt(video, media_s, *size, film.fps))
            shown = write_film(part, summary, excerpt, film, keep_going)
    return _lack(shown, summary)


def _lack(shown: Shown, summary: Summary) -> str | None:
    if not shown.lost:
        return None
    if len(shown.lost) == len(summary.shown):
        return "the video could not be read at any moment"
    return f"the video could not be read at moments {', '.join(map(str, shown.lost))}"
