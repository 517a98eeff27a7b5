"""What Prometheus reads, counted from the store at every scrape, so that restarts lose nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from extension.api.ports import Shelf
from extension.model import DeliveryState, Job, JobStatus

_PAGE = 200
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class _Found:
    chunks: int
    failed_chunks: int
    events: int
    incidents: tuple[tuple[str, str], ...]


class ShelfCollector(Collector):
    """Counts jobs, captions, events, incidents and deliveries.

    What a finished job holds is counted once and remembered until the job changes.
    """

    def __init__(self, store: Shelf) -> None:
        self._store = store
        self._finished: dict[str, tuple[Job, _Found]] = {}
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are fixed, and asking the store at registration would be too early."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families, in the order of the pipeline."""
        with self._lock:
            jobs = list(self._jobs())
            found = [self._found(job) for job in jobs]
        states = Counter(job.status for job in jobs)
        yield _by_label("timetravel_jobs", "Jobs by status.", "status", {s: states[s] for s in JobStatus})
        yield _total("timetravel_captions", "Chunks that have a verdict.", sum(f.chunks for f in found))
        yield _total(
            "timetravel_captions_failed",
            "Chunks that ended without a verdict.",
            sum(f.failed_chunks for f in found),
        )
        yield _total("timetravel_events", "Events judged.", sum(f.events for f in found))
        yield _incidents(Counter(incident for f in found for incident in f.incidents))
        counts = self._store.delivery_counts()
        yield _by_label(
            "timetravel_deliveries",
            "Deliveries by state.",
            "state",
            {state: counts.get(state, 0) for state in DeliveryState},
        )

    def _jobs(self) -> Iterator[Job]:
        before: str | None = None
        while page := self._store.jobs(limit=_PAGE, before=before):
            yield from page
            before = page[-1].id

    def _found(self, job: Job) -> _Found:
        remembered = self._finished.get(job.id)
        if remembered and remembered[0] == job:
            return remembered[1]
        found = _Found(
            chunks=job.answered_chunks,
            failed_chunks=job.failed_chunks,
            events=len(self._store.events(job.id)),
            incidents=tuple((i.kind.value, i.severity.value) for i in self._store.incidents(job.id, _ALL)),
        )
        if job.finished_at is not None:
            self._finished[job.id] = (job, found)
        return found


def _total(name: str, text: str, value: int) -> Metric:
    # Retried chunks leave the count of failures again: a gauge, for all that it mostly grows.
    return GaugeMetricFamily(name, text, value=value)


class Counts(Collector):
    """A family of counters that something else keeps, read at every scrape.

    Args:
        name: Name of the family, without `_total`.
        text: What it counts.
        label: Name of the label that tells its members apart.
        read: The counts by that label, now.
    """

    def __init__(self, name: str, text: str, label: str, read: Callable[[], Mapping[str, int]]) -> None:
        self._name = name
        self._text = text
        self._label = label
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """The family."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for label, count in self._read().items():
            family.add_metric([label], count)
        yield family


def _incidents(counts: Mapping[tuple[str, str], int]) -> Metric:
    text = "Incidents by kind and severity."
    family = GaugeMetricFamily("timetravel_incidents", text, labels=["kind", "severity"])
    for (kind, severity), count in counts.items():
        family.add_metric([kind, severity], count)
    return family


def _by_label(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([str(value)], count)
    return family
