"""Turns an upload, or a path, into a stored job: nothing is stored that could not be analysed."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from extension.api.filenames import safe_name
from extension.api.paths import allowed_file
from extension.api.ports import Services
from extension.api.problems import Rejected, faults_in_words
from extension.api.uploads import INCOMING, Upload
from extension.errors import BadInput, NotFound
from extension.model import Job, JobOptions, JobStatus, Piece, VlmUse
from extension.wire import JobIn, PieceIn

# Made once, at random: job ids of one key are the same wherever the service runs.
_KEYS = uuid.UUID("6f0c63cb-52a4-4dd3-9d0d-6b9f2f4a5e17")
_LIVE = "live:"
_BY_PATH_ONLY = ("path", "trajectory", "pieces")


class Intake:
    """The door for new jobs. An idempotency key names its job: the same key again gives the same job."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()

    def known(self, key: str | None) -> Job | None:
        """The job that an earlier request with this key made."""
        if key is None:
            return None
        try:
            return self._services.store.job(job_id(key))
        except NotFound:
            return None

    def incoming_folder(self) -> Path:
        """A new folder for an upload that is not a job yet."""
        return self._services.media_dir / INCOMING / str(uuid.uuid4())

    def from_upload(self, upload: Upload, key: str | None) -> Job:
        """Check an upload and store its job; the files go with a refusal.

        Raises:
            BadInput: when a field, the video or the log is not usable.
        """
        with ExitStack() as undo:
            undo.callback(upload.discard)
            asked = _asked(upload)
            self._check({kind: upload.path(kind) for kind in upload.files})
            # Absolute: the job must find its file wherever the service is started from.
            kept = upload.moved(self._services.media_dir.resolve() / upload.folder.name)
            undo.callback(kept.discard)
            log = str(kept.path("trajectory")) if "trajectory" in kept.files else None
            video = str(kept.path("video")) if "video" in kept.files else ""
            job, is_new = self._stored(_name(kept.files), video, log, asked, key)
            if is_new:
                undo.pop_all()
        self._services.wake()
        return job

    def from_path(self, asked: JobIn, key: str | None) -> Job:
        """Check the files that a request names and store its job.

        Raises:
            Rejected: 403 outside the allowed folders.
            NotFound: where no file is.
            BadInput: when the video or the log is not usable.
        """
        services = self._services
        found = {"video": allowed_file(asked.path, services.allowed_dirs)} if asked.path else {}
        if asked.trajectory:
            found["trajectory"] = self._log(asked.trajectory)
        self._check(found)
        name = _name({kind: safe_name(path.name, otherwise=kind) for kind, path in found.items()})
        log = str(found["trajectory"]) if "trajectory" in found else None
        job, _ = self._stored(name, str(found.get("video", "")), log, asked, key)
        services.wake()
        return job

    def _log(self, named: str) -> Path:
        """The file of a log: one on this machine, or what has come so far of a trajectory that grows."""
        live = self._services.live
        if live is not None and named.startswith(_LIVE):
            return live.snapshot(named.removeprefix(_LIVE))
        return allowed_file(named, self._services.allowed_dirs)

    def _check(self, files: Mapping[str, Path]) -> None:
        if not files:
            raise Rejected(HTTPStatus.UNPROCESSABLE_ENTITY, "A job needs a video, a trajectory log, or both.")
        if "video" in files:
            _checked(self._services.probe, files["video"])
        if "trajectory" in files:
            _checked(self._services.check_trajectory, files["trajectory"])

    def _stored(
        self, name: str, media: str, log: str | None, asked: JobIn, key: str | None
    ) -> tuple[Job, bool]:
        if log is None and VlmUse(asked.vlm) is not VlmUse.ALL:
            raise BadInput(
                f"vlm: {asked.vlm!r} needs a trajectory log; without one the VLM is asked about every chunk"
            )
        if not _in_order(asked.pieces):
            raise BadInput(
                "pieces: they must begin at second 0 of the video and go forwards, in it and in the log"
            )
        with self._lock:  # two requests with one key: the second finds the first's job
            if earlier := self.known(key):
                return earlier, False
            job = Job(
                id=job_id(key),
                name=name,
                media_path=media,
                trajectory_path=log,
                options=_options(asked),
                status=JobStatus.QUEUED,
                created_at=self._services.clock.now(),
            )
            self._services.store.add_job(job)
        return job, True


def job_id(key: str | None) -> str:
    """The job id that belongs to an idempotency key; a fresh one without a key."""
    return str(uuid.uuid4() if key is None else uuid.uuid5(_KEYS, key))


def _asked(upload: Upload) -> JobIn:
    # A browser sends an empty text for a field that was left alone.
    texts: dict[str, Any] = {name: text for name, text in upload.texts.items() if text.strip()}
    if strays := sorted(set(texts) & set(_BY_PATH_ONLY)):
        raise Rejected(HTTPStatus.UNPROCESSABLE_ENTITY, f"{strays[0]}: not a text field of this form.")
    try:
        return JobIn.model_validate(texts)
    except ValidationError as exc:
        raise Rejected(HTTPStatus.UNPROCESSABLE_ENTITY, faults_in_words(exc.errors())) from exc


def _options(asked: JobIn) -> JobOptions:
    return JobOptions(
        speed=asked.speed,
        chunk_s=asked.chunk_s,
        frames_per_chunk=asked.frames_per_chunk,
        prompt=asked.prompt,
        merge_gap_s=asked.merge_gap_s,
        start_at=_start_at(asked),
        vlm=VlmUse(asked.vlm),
        geometry=asked.geometry,
        level=asked.level,
        pieces=tuple(Piece(piece.media_s, piece.start_at.astimezone(dt.UTC)) for piece in asked.pieces),
    )


def _start_at(asked: JobIn) -> dt.datetime | None:
    """What the first frame shows: stated, or where the first piece begins."""
    stated = asked.start_at or (asked.pieces[0].start_at if asked.pieces else None)
    return stated.astimezone(dt.UTC) if stated else None


def _in_order(pieces: Sequence[PieceIn]) -> bool:
    """Whether pieces begin with the video and go forwards, in the video and in the log."""
    onward = all(
        one.media_s < other.media_s and one.start_at < other.start_at
        for one, other in itertools.pairwise(pieces)
    )
    return onward and (not pieces or pieces[0].media_s == 0.0)


def _name(files: Mapping[str, str]) -> str:
    """The name of a job: that of its video, which is drawn from its log where there is none."""
    return files.get("video") or f"{Path(files['trajectory']).stem}.mp4"


def _checked(check: Callable[[Path], object], path: Path) -> None:
    try:
        check(path)
    except BadInput as exc:
        # The caller knows the file by its name; where it lies here is ours alone.
        raise type(exc)(without_paths(str(exc), path)) from exc


def without_paths(text: str, path: Path) -> str:
    """A sentence in which the file goes by its name alone."""
    return text.replace(str(path), path.name).replace(f"{path.parent}/", "")
