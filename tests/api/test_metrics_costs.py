"""What captions cost, as Prometheus reads it: counted from the store, in base units, with labels that cannot multiply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from extension.api.costs import BOUNDS_S, OUTCOMES, PACKINGS, CaptionCosts, Tally
from extension.model import Caption, JobStatus
from extension.store import Store
from tests.store import values

STATS: dict[str, Any] = {
    "packing": "video_jpeg",
    "frames": 20,
    "latency_ms": 400,
    "retries": 1,
    "input_tokens": 1000,
    "output_tokens": 50,
    "cached_tokens": 600,
    "predicted_tokens": 1010,
}


class Shelf:
    """A store that writes down from which chunk on it was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads: list[tuple[str, int]] = []

    def jobs(self, limit: int = 50, before: str | None = None) -> Any:
        """The store's own."""
        return self._store.jobs(limit, before)

    def caption_costs(self, job_id: str, first: int = 0) -> Any:
        """The store's own, noted."""
        self.reads.append((job_id, first))
        return self._store.caption_costs(job_id, first)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one job under way."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    yield store
    store.close()


def read(collector: CaptionCosts) -> dict[tuple[str, ...], float]:
    """Every sample by name and labels, through a registry as /metrics has one."""
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def caption(index: int, **stats: Any) -> Caption:
    """An answered caption that cost something."""
    return replace(values.caption(index), stats=STATS | stats)


def failed(index: int, code: str, **stats: Any) -> Caption:
    """A caption that failed, with a report."""
    return replace(values.failed_caption(index, code), stats=STATS | stats)


def test_costs_are_added_up(store: Store) -> None:
    """Tokens by kind, retries, packing, outcome; a failure costs as well."""
    unsent = failed(
        2, "NoFrames", packing="none", input_tokens=0, output_tokens=0, cached_tokens=0, predicted_tokens=0
    )
    store.save_captions("job-1", [caption(0), failed(1, "Clipped"), unsent])
    found = read(CaptionCosts(store))
    tokens = {
        kind: found["timetravel_vlm_tokens_total", kind]
        for kind in ("prompt", "cached", "completion", "predicted")
    }
    assert tokens == {"prompt": 2000, "cached": 1200, "completion": 100, "predicted": 2020}
    assert found["timetravel_vlm_retries_total",] == 3
    assert found["timetravel_vlm_packings_total", "video_jpeg"] == 2
    assert found["timetravel_caption_outcomes_total", "verdict"] == 1
    assert found["timetravel_caption_outcomes_total", "Clipped"] == 1
    assert found["timetravel_caption_outcomes_total", "NoFrames"] == 1


def test_an_empty_store_shows_zeros() -> None:
    """So that a rate exists from the first answer on; a mean of nothing is not shown."""

    class Empty:
        def jobs(self, limit: int = 50, before: str | None = None) -> list[Any]:
            del limit, before
            return []

        def caption_costs(self, job_id: str, first: int = 0) -> list[Any]:
            raise AssertionError(job_id, first)

    found = read(CaptionCosts(Empty()))
    assert set(found.values()) == {0.0}
    assert {key[1] for key in found if key[0] == "timetravel_caption_outcomes_total"} == set(OUTCOMES)
    assert {key[1] for key in found if key[0] == "timetravel_vlm_packings_total"} == set(PACKINGS)
    assert not [key for key in found if "logprob" in key[0]]


def test_times_are_a_histogram_in_seconds(store: Store) -> None:
    """Each bucket holds those at or below its bound."""
    store.save_captions(
        "job-1", [caption(n, latency_ms=ms) for n, ms in enumerate((50, 100, 101, 9000, 500_000))]
    )
    found = read(CaptionCosts(store))
    name = "timetravel_vlm_answer_seconds"
    at = {bound: found[f"{name}_bucket", bound] for bound in ("0.1", "0.25", "5.0", "10.0", "120.0", "+Inf")}
    assert at == {"0.1": 2, "0.25": 3, "5.0": 3, "10.0": 4, "120.0": 4, "+Inf": 5}
    assert found[f"{name}_count",] == 5
    assert found[f"{name}_sum",] == pytest.approx(509.251)


def test_certainty_is_the_newest_jobs(store: Store) -> None:
    """The mean over its captions that have one."""
    store.save_captions("job-1", [caption(0, mean_logprob=-0.1), caption(1, mean_logprob=-0.3), caption(2)])
    assert read(CaptionCosts(store))["timetravel_vlm_mean_logprob",] == pytest.approx(-0.2)
    store.add_job(values.job("job-2"))
    store.save_captions("job-2", [caption(0, mean_logprob=-2.0)])
    assert read(CaptionCosts(store))["timetravel_vlm_mean_logprob",] == -2.0


def test_labels_cannot_multiply(store: Store) -> None:
    """Codes and packings that nobody knows are others, whatever a VLM writes."""
    strange = [failed(n, f"made up {n}", packing=f"by pigeon {n}") for n in range(20)]
    store.save_captions("job-1", strange)
    found = read(CaptionCosts(store))
    assert found["timetravel_caption_outcomes_total", "other"] == 20
    assert found["timetravel_vlm_packings_total", "other"] == 20
    assert len(found) < 60


def test_a_restart_loses_nothing(store: Store) -> None:
    """A new collector on the same store counts the same."""
    store.save_captions("job-1", [caption(n) for n in range(5)])
    store.finish_job("job-1", JobStatus.DONE)
    assert read(CaptionCosts(store)) == read(CaptionCosts(store))
    assert read(CaptionCosts(store))["timetravel_vlm_tokens_total", "prompt"] == 5000


def test_counters_never_fall_when_failed_chunks_are_asked_again(store: Store) -> None:
    """Their captions leave the store for a while; what is counted goes up only."""
    store.save_captions("job-1", [caption(0), failed(1, "Clipped")])
    store.finish_job("job-1", JobStatus.DONE)
    collector = CaptionCosts(store)
    before = read(collector)
    store.requeue_job("job-1")
    between = read(collector)
    store.save_captions("job-1", [caption(1)])
    after = read(collector)
    for key, value in before.items():
        assert value <= between[key] <= after[key]
    assert after["timetravel_caption_outcomes_total", "verdict"] == 2


def test_a_finished_job_is_read_once(store: Store) -> None:
    """Until it changes."""
    shelf = Shelf(store)
    collector = CaptionCosts(shelf)
    store.save_captions("job-1", [caption(0)])
    store.finish_job("job-1", JobStatus.DONE)
    first = read(collector)
    assert read(collector) == first
    assert shelf.reads == [("job-1", 0)]
    store.requeue_job("job-1")
    store.save_captions("job-1", [caption(1)])
    assert read(collector)["timetravel_vlm_tokens_total", "prompt"] == 2000
    assert shelf.reads == [("job-1", 0)] * 2


def test_a_job_under_way_is_read_from_where_it_is_judged(store: Store) -> None:
    """Long jobs are not read anew at every scrape, and nothing is counted twice."""

    class Judged(Shelf):
        judged = 0

        def jobs(self, limit: int = 50, before: str | None = None) -> Any:
            return [replace(job, judged_chunks=self.judged) for job in super().jobs(limit, before)]

    shelf = Judged(store)
    collector = CaptionCosts(shelf)
    for count in (3, 6, 6, 9):
        store.save_captions("job-1", [caption(n) for n in range(count)])
        shelf.judged = count - 1
        assert read(collector)["timetravel_vlm_tokens_total", "prompt"] == 1000 * count
    assert shelf.reads == [("job-1", first) for first in (0, 2, 5, 5)]


def test_answers_of_other_engines_count_as_outcomes_alone(store: Store) -> None:
    """They report nothing of tokens or time."""
    store.save_captions("job-1", [replace(values.caption(0), stats={"reasoning": "hm"})])
    found = read(CaptionCosts(store))
    assert found["timetravel_caption_outcomes_total", "verdict"] == 1
    assert found["timetravel_vlm_answer_seconds_count",] == 0


_ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from([*STATS, "mean_logprob"]), _ANYTHING), st.none() | st.text(max_size=9))
def test_no_report_can_break_the_count(stats: dict[str, Any], failure: str | None) -> None:
    """Whatever an engine writes there, each caption is one outcome and nothing is negative."""
    tally = Tally()
    tally.add(
        failure, stats | {"packing": stats.get("packing") if isinstance(stats.get("packing"), str) else "mp4"}
    )
    assert tally.outcomes.total() == 1
    assert sum(tally.times) == 1
    assert min([*tally.tokens.values(), tally.retries, tally.seconds, *tally.times]) >= 0
    assert len(tally.times) == len(BOUNDS_S) + 1


@given(st.lists(st.integers(0, 200_000), max_size=20), st.integers(0, 20))
def test_tallies_merge(times_ms: list[int], split: int) -> None:
    """Counting apart and adding is counting together."""
    whole, one, other = Tally(), Tally(), Tally()
    for number, ms in enumerate(times_ms):
        whole.add(None, STATS | {"latency_ms": ms})
        (one if number < split else other).add(None, STATS | {"latency_ms": ms})
    one.merge(other)
    assert (one.times, one.tokens, one.outcomes) == (whole.times, whole.tokens, whole.outcomes)
    assert one.seconds == pytest.approx(whole.seconds)
