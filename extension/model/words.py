"""The words that values are made of, each with its few choices."""

from __future__ import annotations

import enum


class Severity(enum.StrEnum):
    """How bad it is, mildest first."""

    SAFE = "safe"
    WARN = "warn"
    DANGER = "danger"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        """Place in the order safe < warn < danger < extreme, from 0."""
        return list(Severity).index(self)


class Kind(enum.StrEnum):
    """What happened."""

    COLLISION = "collision"
    FALL = "fall"
    FIRE = "fire"
    SMOKE = "smoke"
    INTRUSION = "intrusion"
    ENTRAPMENT = "entrapment"
    SPILL = "spill"
    NEAR_MISS = "near_miss"
    OTHER = "other"


class JobStatus(enum.StrEnum):
    """Life of a job. `DONE` may still hold failed chunks; their number is part of the job. `LIVE` is a camera's, which never ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LIVE = "live"


class VlmUse(enum.StrEnum):
    """Which chunks of a replay with a log the VLM is asked about; without a log it is asked about all."""

    ALL = "all"
    CANDIDATES = "candidates"
    OFF = "off"


class Basis(enum.StrEnum):
    """What an event rests on: the VLM's answer, the coordinates of the log, or both.

    `MOTION`: on motion alone, while no VLM can be had. `CAPTURE`: on the recording itself, which failed.
    """

    VLM = "vlm"
    LOG = "log"
    BOTH = "both"
    MOTION = "motion"
    CAPTURE = "capture"


class Check(enum.StrEnum):
    """What became of looking twice, weakest first; of what is merged into one, the strongest counts.

    `WITHDRAWN`: a later look showed that nothing happened. `ONCE`: nobody looked again. `UNVERIFIED`: it was to be looked at again,
    and could not be. `CONFIRMED`: a second look agrees.
    """

    WITHDRAWN = "withdrawn"
    ONCE = "once"
    UNVERIFIED = "unverified"
    CONFIRMED = "confirmed"

    @property
    def rank(self) -> int:
        """Place in that order, from 0."""
        return list(Check).index(self)


class Phase(enum.StrEnum):
    """Life of an incident."""

    OPEN = "open"
    RESOLVED = "resolved"


class Change(enum.StrEnum):
    """What there is to announce about an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


class DeliveryState(enum.StrEnum):
    """Life of a delivery. `FAILED` is given up: permanent refusal, or the schedule is used up."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
