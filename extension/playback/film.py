"""Puts the summary's video together: title card, then each clip after a short card, with captions. It decides nothing about moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from extension.playback.cards import Cards, Stage
from extension.playback.clips import Clip, Roll, Shot
from extension.playback.lettering import FONTS, Lettering
from extension.sources.replay.encode import write_video
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.style import Style
from extension.timetravel.summary import Moment, Summary, badness
from extension.timetravel.summary_tongues import Language, Tongue, tongue

_TITLE_S: Final = 2.5
_NOTHING_S: Final = 5.0
_BETWEEN_S: Final = 0.5


class Stopped(Exception):
    """The making of a video was given up because the service stops."""


@dataclass(frozen=True, slots=True)
class Film:
    """How the summary's video looks.

    Attributes:
        width: Of the moving picture, pixels, even.
        height: Of the moving picture, pixels, even; the caption bar stands below it.
        fps: Frames per second.
        crf: H.264 constant rate factor, 0 (best) to 51.
        slow: Speed while objects are closest, where the log is drawn; 1.0 for no slow motion.
        language: Of the captions; English where the machine has no font for it.
        roll: How much of each moment is shown.
        fonts: Font files to try in turn.
    """

    width: int = 720
    height: int = 404
    fps: int = 20
    crf: int = 26
    slow: float = 0.5
    language: Language = Language.EN
    roll: Roll = field(default_factory=Roll)
    fonts: tuple[str, ...] = FONTS


class Recording(Protocol):
    """Where moving pictures come from."""

    def clips(self, summary: Summary, roll: Roll) -> tuple[Clip, ...]:
        """The parts to show."""

    def pictures(self, parts: Sequence[Clip]) -> Iterator[tuple[Clip, float, Picture]]:
        """The frames of the clips one after another, each with its clip and the second it shows."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a written video holds.

    Attributes:
        frames: How many.
        video_s: Its length in seconds.
        lost: Numbers of moments whose part of the recording holds no picture that can be read.
    """

    frames: int
    video_s: float
    lost: tuple[int, ...]


def write_film(
    path: Path,
    summary: Summary,
    recording: Recording | None,
    film: Film,
    keep_going: Callable[[], bool],
) -> Shown:
    """Write the summary's video (H.264 in MP4, index first); it appears only when it is complete.

    Frames are drawn as they are encoded, so that the length of the recording does not matter for the memory used.

    Args:
        path: Of the video.
        summary: Its `shown` moments are shown; without moments, the video is a card that says what was looked at.
        recording: Where the pictures come from; None where there is nothing to show.
        film: How it looks.
        keep_going: Asked before each frame; false gives up.

    Raises:
        BadInput: The file cannot be written.
        Stopped: `keep_going` said no.
    """
    stage = Stage(film.width, film.height)
    maker = _Maker(summary, recording, film, Cards(stage, Lettering(film.fonts)))
    style = Style(width=stage.width, height=stage.whole, fps=film.fps, crf=film.crf)
    frames = write_video(_while(keep_going, maker.pictures()), style, path)
    return Shown(frames=frames, video_s=frames / film.fps, lost=tuple(sorted(maker.lost)))


def _while(keep_going: Callable[[], bool], pictures: Iterator[Picture]) -> Iterator[Picture]:
    for picture in pictures:
        if not keep_going():
            raise Stopped
        yield picture


class _Maker:
    """The pictures of one video, and which moments it could not show."""

    def __init__(self, summary: Summary, recording: Recording | None, film: Film, cards: Cards) -> None:
        self._summary = summary
        self._recording = recording
        self._film = film
        self._cards = cards
        self._words = _speakable(film)
        self.lost: set[int] = set()

    def pictures(self) -> Iterator[Picture]:
        """All frames, one after another."""
        written = self._words.write(self._summary)
        card = self._cards.title(written.title, written.sentences)
        yield from self._still(card, _TITLE_S if self._summary.shown else _NOTHING_S)
        if self._recording is not None and self._summary.shown:
            parts = self._recording.clips(self._summary, self._film.roll)
            self.lost = {shot.moment.number for part in parts for shot in part.shots}
            yield from self._clips(self._recording.pictures(parts))

    def _clips(self, recorded: Iterator[tuple[Clip, float, Picture]]) -> Iterator[Picture]:
        before: Clip | None = None
        for clip, now_s, picture in recorded:
            if clip is not before:
                before = clip
                self.lost -= {shot.moment.number for shot in clip.shots}
                first = clip.shots[0].moment
                words = self._words.caption(self._summary, first)
                yield from self._still(self._cards.between(words, first.severity), _BETWEEN_S)
            told = clip.told_at(now_s)
            yield self._cards.captioned(picture, self._caption(told), _worst(told).severity)

    def _still(self, card: Picture, seconds: float) -> Iterator[Picture]:
        for _ in range(round(seconds * self._film.fps)):
            yield card

    def _caption(self, told: tuple[Shot, ...]) -> str:
        return "   |   ".join(self._words.caption(self._summary, shot.moment) for shot in told)


def _worst(told: tuple[Shot, ...]) -> Moment:
    return min((shot.moment for shot in told), key=badness)


def _speakable(film: Film) -> Tongue:
    """The words of the language asked for, if the font has its letters, else English."""
    wanted = film.language
    if wanted is Language.KO and not Lettering(film.fonts).can("가힣"):
        wanted = Language.EN
    return tongue(wanted)


def fitting(film: Film, width: int, height: int) -> Film:
    """The film in the shape of a source video: as wide as it is set, or as wide as the video where that is smaller."""
    scale = min(film.width / width, film.height / height, 1.0)
    return replace(
        film, width=max(320, round(width * scale / 2) * 2), height=max(180, round(height * scale / 2) * 2)
    )
