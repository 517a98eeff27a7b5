"""What the VLM's answers cost, for Prometheus: tokens, time, retries, packing, certainty, and how each chunk ended.

Counted from the captions in the store, so that a restart loses nothing. A chunk that is asked again replaces its caption; the counters do
not fall for that while the service runs.
"""

from __future__ import annotations

import bisect
import math
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from extension.model import Job

BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""The last is the override's time limit for one chunk."""
VERDICT, OTHER = "verdict", "other"
# What may stand in a label; a VLM that writes codes of its own must not make new series.
OUTCOMES = (
    VERDICT,
    "Clipped",
    "Empty",
    "Garbled",
    "MissingChunk",
    "NoFrames",
    "Refused",
    "ServerError",
    "Timeout",
    "Unreachable",
    "ViaServerUnavailable",
    OTHER,
)
SECOND_LOOKS = ("confirmed", "softened", "unverified", "rejected")
PACKINGS = ("video_jpeg", "mp4", "images", OTHER)
_TOKENS = {
    "prompt": "input_tokens",
    "cached": "cached_tokens",
    "completion": "output_tokens",
    "predicted": "predicted_tokens",
}
_MOST = 1e12
_MS_PER_S = 1000
_PAGE = 200


class CaptionShelf(Protocol):
    """What is asked of the store."""

    def jobs(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Jobs, newest first."""
        ...

    def caption_costs(
        self, job_id: str, first: int = 0
    ) -> Sequence[tuple[int, str | None, Mapping[str, Any]]]:
        """Index, failure code and stats of captions from chunk `first` on."""
        ...


@dataclass
class Tally:
    """What some captions cost; `times` counts answers by the first bound they lie under, the last slot those above all."""

    outcomes: Counter[str] = field(default_factory=Counter)
    second_looks: Counter[str] = field(default_factory=Counter)
    packings: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    times: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    seconds: float = 0.0
    retries: float = 0.0
    logprobs: int = 0
    logprob_sum: float = 0.0

    def add(self, failure: str | None, stats: Mapping[str, Any]) -> None:
        """Count one caption, and the second looks that it led to."""
        outcome = VERDICT if failure is None else failure
        self.outcomes[outcome if outcome in OUTCOMES else OTHER] += 1
        self._add_answer(stats)
        if (second := stats.get("second_look")) is not None:
            self.second_looks[second["outcome"]] += 1
            for look in second["looks"]:
                self._add_answer(look["stats"])

    def _add_answer(self, stats: Mapping[str, Any]) -> None:
        if (
            "packing" not in stats
        ):  # no report of the override: another engine, or a chunk that never got there
            return
        packing = stats["packing"]
        if packing != "none":  # nothing was sent
            self.packings[packing if packing in PACKINGS else OTHER] += 1
        for kind, name in _TOKENS.items():
            self.tokens[kind] += round(_number(stats.get(name)))
        self.retries += _number(stats.get("retries"))
        latency_s = _number(stats.get("latency_ms")) / _MS_PER_S
        self.seconds += latency_s
        self.times[bisect.bisect_left(BOUNDS_S, latency_s)] += 1
        logprob = stats.get("mean_logprob")
        if isinstance(logprob, int | float) and math.isfinite(logprob):
            self.logprobs += 1
            self.logprob_sum += logprob

    def merge(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.outcomes.update(other.outcomes)
        self.second_looks.update(other.second_looks)
        self.packings.update(other.packings)
        self.tokens.update(other.tokens)
        self.times = [one + more for one, more in zip(self.times, other.times, strict=True)]
        self.seconds += other.seconds
        self.retries += other.retries
        self.logprobs += other.logprobs
        self.logprob_sum += other.logprob_sum


@dataclass
class _Known:
    """A job as it was last seen, and the tally of its chunks before `settled`, which are judged and stay as they are."""

    job: Job
    settled: int = 0
    tally: Tally = field(default_factory=Tally)


class CaptionCosts(Collector):
    """Counts what captions cost; of a job under way it reads only what came since the last scrape."""

    def __init__(self, store: CaptionShelf) -> None:
        self._store = store
        self._known: dict[str, _Known] = {}
        self._highest: dict[tuple[str, ...], float] = {}
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are fixed, and asking the store at registration would be too early."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families."""
        with self._lock:
            tallies = [self._tally(job) for job in self._jobs()]
            total = Tally()
            for tally in tallies:
                total.merge(tally)
            families = list(self._families(total))
        yield from families
        sure = next((tally for tally in tallies if tally.logprobs), None)
        if sure is not None:
            text = "Mean log-probability of the answers' tokens, over the newest job that has any."
            yield GaugeMetricFamily("timetravel_vlm_mean_logprob", text, sure.logprob_sum / sure.logprobs)

    def _families(self, total: Tally) -> Iterator[Metric]:
        yield self._counter(
            "timetravel_vlm_tokens",
            "Tokens of VLM answers: in the prompt, of those cached, in the completion, and as predicted for the prompt.",
            "kind",
            {kind: total.tokens[kind] for kind in _TOKENS},
        )
        yield self._counter(
            "timetravel_vlm_retries", "Attempts after the first, at one chunk.", "", {"": total.retries}
        )
        packings = {name: total.packings[name] for name in PACKINGS}
        text = "Chunks sent, by how their frames travelled."
        yield self._counter("timetravel_vlm_packings", text, "packing", packings)
        outcomes = {name: total.outcomes[name] for name in OUTCOMES}
        text = "Chunks by how they ended: a verdict, or the failure's code."
        yield self._counter("timetravel_caption_outcomes", text, "outcome", outcomes)
        checked = {name: total.second_looks[name] for name in SECOND_LOOKS}
        text = "Answers that were looked at again, by what that came to."
        yield self._counter("timetravel_second_looks", text, "outcome", checked)
        yield self._times(total)

    def _counter(self, name: str, text: str, label: str, counts: Mapping[str, float]) -> Metric:
        family = CounterMetricFamily(name, text, labels=[label] if label else [])
        for value, count in counts.items():
            family.add_metric([value] if label else [], self._never_falling(count, name, value))
        return family

    def _times(self, total: Tally) -> Metric:
        name = "timetravel_vlm_answer_seconds"
        text = "Time that the override took for one chunk, retries included."
        family = HistogramMetricFamily(name, text)
        counts = [self._never_falling(count, name, str(slot)) for slot, count in enumerate(total.times)]
        running, buckets = 0.0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), counts, strict=True):
            running += count
            buckets.append((bound, running))
        family.add_metric([], buckets, self._never_falling(total.seconds, name))
        return family

    def _never_falling(self, value: float, *key: str) -> float:
        self._highest[key] = max(value, self._highest.get(key, 0.0))
        return self._highest[key]

    def _jobs(self) -> Iterator[Job]:
        before: str | None = None
        while page := self._store.jobs(limit=_PAGE, before=before):
            yield from page
            before = page[-1].id

    def _tally(self, job: Job) -> Tally:
        """A job's tally; a finished job is counted once, until it changes."""
        known = self._known.get(job.id)
        if known is not None and known.job == job and job.finished_at is not None:
            return known.tally
        if known is None or job.judged_chunks < known.settled or known.job.finished_at is not None:
            known = _Known(job)
        known.job = job
        fresh = Tally()
        for index, failure, stats in self._store.caption_costs(job.id, known.settled):
            is_settled = job.finished_at is not None or index < job.judged_chunks
            (known.tally if is_settled else fresh).add(failure, stats)
        known.settled = max(known.settled, job.judged_chunks)
        self._known[job.id] = known
        fresh.merge(known.tally)
        return fresh


def _number(value: object) -> float:
    """A count or a time as the override reported it; anything else counts as nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return 0.0
    return float(value)
