"""Makes the evidence of a job's incidents. What cannot be made is named in the manifest and costs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av

from extension.evidence import shelf
from extension.evidence.account import Case, Context, account, plain
from extension.evidence.cutting import CLIP, SNAPSHOT, Cut, Picture, cut
from extension.evidence.digests import Digests, of_file
from extension.evidence.manifest import NAME, FileOut, Manifest, MissingOut
from extension.evidence.parts import Part, extent, within
from extension.evidence.wanted import Limits, Wanted, chosen, passes, wanted

PYAV: Final = av.__version__
_TYPES: Final = {CLIP: "video/mp4", SNAPSHOT: "image/jpeg"}
_SHORT_S: Final = 0.2
"""A clip that misses less at its end than this misses nothing: the length of a source is known to a frame or two."""
_UNSHOWN: Final = "the video does not show this incident"
DEFAULTS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that could not be made, or not wholly, and why, in a few words without paths."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collected:
    """The evidence of one incident.

    Attributes:
        incident_id: Whose it is.
        files: Names of the files that are there, the manifest first; empty when not even that could be written.
        sha256s: Their hashes, by name.
        missing: What could not be made.
        kept: Whether it was there already, of the same findings, and stayed as it was.
    """

    incident_id: str
    files: tuple[str, ...]
    sha256s: Mapping[str, str]
    missing: tuple[Missing, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """The evidence of a job: incident by incident in the order given, and the ids of those beyond the limit."""

    collected: tuple[Collected, ...]
    left_out: tuple[str, ...] = ()

    @property
    def missing_count(self) -> int:
        """How many files could not be made, or not wholly."""
        return sum(len(one.missing) for one in self.collected)


def _always() -> bool:
    return True


def collect(
    folder: Path,
    cases: Sequence[Case],
    parts: Sequence[Part],
    context: Context,
    limits: Limits = DEFAULTS,
    keep_going: Callable[[], bool] = _always,
) -> Collection:
    """Make clip, snapshot and manifest of incidents, each in a folder of its own that appears whole or not at all.

    Evidence that is there already, of the same findings and undamaged, stays as it is. Only what clips hold is decoded, once
    where they overlap. Never raises for a source, a disk or an encoder: their faults are in the result and in the manifests.

    Args:
        folder: The outputs of the job; evidence lies in `evidence/<incident id>` below.
        cases: The incidents.
        parts: Of the source; none where nothing was recorded.
        context: What the incidents share.
        limits: How much is kept.
        keep_going: Asked often; false gives up what is not finished.

    Raises:
        Stopped: `keep_going` said no. What is finished stays.
        ValueError: An incident's id cannot be a folder's name.
    """
    mine = chosen([case.incident for case in cases], limits)
    left_out = tuple(case.incident.id for case in cases if case.incident.id not in mine)
    with suppress(OSError):
        shelf.tidy(folder)
    work = _Work(folder, parts, context, limits, keep_going)
    done = {one.incident_id: one for one in work.all([c for c in cases if c.incident.id in mine])}
    return Collection(tuple(done[case.incident.id] for case in cases if case.incident.id in done), left_out)


@dataclass
class _Open:
    """An incident whose evidence is being made."""

    final: Path
    manifest: Manifest
    wish: Wanted | None
    folder: Path
    missing: list[Missing] = field(default_factory=list)


class _Work:
    def __init__(
        self,
        folder: Path,
        parts: Sequence[Part],
        context: Context,
        limits: Limits,
        keep_going: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._parts = parts
        self._context = context
        self._limits = limits
        self._keep_going = keep_going
        self._digests = Digests(keep_going)

    def all(self, cases: Sequence[Case]) -> Iterator[Collected]:
        """The evidence of each case, in no order."""
        source = extent(self._parts)
        wishes: list[tuple[Case, Wanted]] = []
        for case in cases:
            wish = wanted(case.incident, case.own_events, source, self._limits)
            if wish is None:
                yield from self._together([(case, None)])
            else:
                wishes.append((case, wish))
        by_id = {wish.incident_id: (case, wish) for case, wish in wishes}
        for group in passes(wish for _, wish in wishes):
            yield from self._together([by_id[wish.incident_id] for wish in group])

    def _together(self, group: Sequence[tuple[Case, Wanted | None]]) -> Iterator[Collected]:
        """Evidence whose clips are cut in one pass; kept where nothing changed."""
        opened: list[_Open] = []
        done: dict[str, Collected] = {}
        try:
            for case, wish in group:
                one = self._open(case, wish)
                try:
                    if (stored := self._stored(one)) is not None:
                        done[case.incident.id] = stored
                    shelf.clear(one.folder)
                except OSError as exc:
                    done[case.incident.id] = _nothing(case.incident.id, exc)
                else:
                    opened.append(one)
            if len(done) < len(group):
                # All of them, also for the sake of one: a clip's bytes depend on which others are cut with it.
                cuts = self._cut(opened)
                rest = [one for one in opened if one.manifest.incident.id not in done]
                done |= {c.incident_id: c for c in (self._end(one, cuts) for one in rest)}
        finally:
            shelf.discard(one.folder for one in opened)
        yield from done.values()

    def _open(self, case: Case, wish: Wanted | None) -> _Open:
        digests, missing = self._sources(wish)
        manifest = account(case, wish, self._parts, digests, self._context, self._limits)
        final = shelf.place(self._folder, case.incident.id)
        return _Open(final, manifest, wish, shelf.workplace(final), missing)

    def _stored(self, one: _Open) -> Collected | None:
        """What is there already, unless it is of other findings, incomplete or damaged."""
        stored = shelf.read(one.final)
        if stored is None or not stored.same_case(one.manifest) or not shelf.intact(one.final, stored):
            return None
        missing = tuple(Missing(one.name, one.reason) for one in stored.missing)
        if missing and stored.taken.clip is not None:
            return None
        sums = shelf.sums_of(one.final)
        return Collected(one.manifest.incident.id, tuple(sums), sums, missing, kept=True)

    def _sources(self, wish: Wanted | None) -> tuple[dict[Part, tuple[str, int] | None], list[Missing]]:
        """Hashes of the files that a clip is taken from."""
        found: dict[Part, tuple[str, int] | None] = {}
        missing: list[Missing] = []
        for part in within(self._parts, wish.span) if wish else ():
            try:
                found[part] = self._digests.of(part.path)
            except OSError as exc:
                found[part] = None
                missing.append(Missing(plain(part.path.name), exc.strerror or type(exc).__name__))
        return found, missing

    def _cut(self, opened: Sequence[_Open]) -> dict[str, Cut]:
        wishes = [one.wish for one in opened if one.wish is not None]
        if not wishes:
            return {}
        folders = {one.manifest.incident.id: one.folder for one in opened}
        return cut(self._parts, wishes, folders, self._limits, self._keep_going)

    def _end(self, one: _Open, cuts: Mapping[str, Cut]) -> Collected:
        """Write the manifest and put everything in its place."""
        incident_id = one.manifest.incident.id
        made = cuts.get(incident_id, Cut())
        pictures = {CLIP: made.clip, SNAPSHOT: made.snapshot}
        one.missing += _missing(one.wish, made)
        try:
            files = [_file(one.folder / name, p) for name, p in pictures.items() if p is not None]
            missing = [MissingOut(name=lack.name, reason=lack.reason) for lack in one.missing]
            sums = shelf.seal(
                one.folder, one.manifest.model_copy(update={"files": files, "missing": missing})
            )
            shelf.put(one.folder, one.final)
        except OSError as exc:
            return _nothing(incident_id, exc)
        return Collected(incident_id, tuple(sums), sums, tuple(one.missing))


def _nothing(incident_id: str, exc: OSError) -> Collected:
    return Collected(incident_id, (), {}, (Missing(NAME, exc.strerror or type(exc).__name__),))


def _missing(wish: Wanted | None, made: Cut) -> Iterator[Missing]:
    """What a pass could not make, or not wholly."""
    if wish is None:
        yield Missing(CLIP, _UNSHOWN)
        yield Missing(SNAPSHOT, _UNSHOWN)
        return
    unread = "".join(f"; {name} cannot be read" for name in dict.fromkeys(map(plain, made.notes.unreadable)))
    for name in (CLIP, SNAPSHOT):
        if name in made.faults:
            yield Missing(name, made.faults[name] + unread)
    if made.clip is None:
        return
    if wish.span.end_s - made.clip.span.end_s > _SHORT_S:
        lost = f"nothing can be decoded from {made.clip.span.end_s:.2f} s to {wish.span.end_s:.2f} s"
        yield Missing(CLIP, lost + unread)
    elif unread:
        yield Missing(CLIP, unread.removeprefix("; "))
    if made.notes.damaged_packets:
        yield Missing(CLIP, f"{made.notes.damaged_packets} packets of the source cannot be decoded")


def _file(path: Path, picture: Picture) -> FileOut:
    return FileOut(
        name=path.name,
        media_type=_TYPES[path.name],
        sha256=of_file(path),
        size_bytes=path.stat().st_size,
        width=picture.width,
        height=picture.height,
        start_s=round(picture.span.start_s, 6),
        end_s=round(picture.span.end_s, 6),
        frames=picture.frames,
    )
