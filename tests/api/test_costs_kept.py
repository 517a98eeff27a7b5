"""What answers cost stays counted: over scrapes, restarts, jobs that end, jobs that are retried, and captions that are let go of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from extension.api.costs import BOUNDS_S, OUTCOMES, PACKINGS, CaptionCosts, Tally
from extension.model import Job, JobStatus
from tests.store import values

COST: Mapping[str, Any] = {
    "packing": "mp4",
    "latency_ms": 300,
    "retries": 1,
    "input_tokens": 100,
    "output_tokens": 10,
    "cached_tokens": 5,
    "predicted_tokens": 110,
}
VERDICTS = ("timetravel_caption_outcomes_total", "verdict")
PROMPT = ("timetravel_vlm_tokens_total", "prompt")


@dataclass
class Shelf:
    """A store of jobs and what their chunks cost, in memory; it notes how much was read of it."""

    kept: dict[str, Job] = field(default_factory=dict)
    costs: dict[str, dict[int, tuple[str | None, Mapping[str, Any]]]] = field(default_factory=dict)
    read: int = 0

    def add(self, job_id: str) -> None:
        """A running job."""
        self.kept[job_id] = values.job(job_id, status=JobStatus.RUNNING)
        self.costs[job_id] = {}

    def answer(self, job_id: str, index: int, failure: str | None = None, **stats: Any) -> None:
        """A chunk is answered."""
        self.costs[job_id][index] = (failure, {**COST, **stats})

    def judge(self, job_id: str, count: int) -> None:
        """So many chunks are judged."""
        self.kept[job_id] = replace(self.kept[job_id], judged_chunks=count)

    def finish(self, job_id: str) -> None:
        """The job is over."""
        self.kept[job_id] = replace(self.kept[job_id], finished_at=values.NOON, status=JobStatus.DONE)

    def forget(self, job_id: str, before: int) -> None:
        """Captions before a chunk are let go of."""
        self.costs[job_id] = {index: cost for index, cost in self.costs[job_id].items() if index >= before}

    def jobs(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Newest first."""
        names = list(self.kept)[::-1]
        first = 0 if before is None else names.index(before) + 1
        return [self.kept[name] for name in names[first : first + limit]]

    def caption_costs(
        self, job_id: str, first: int = 0
    ) -> Sequence[tuple[int, str | None, Mapping[str, Any]]]:
        """Costs from a chunk on."""
        found = [(index, *cost) for index, cost in sorted(self.costs[job_id].items()) if index >= first]
        self.read += len(found)
        return found


def scraped(collector: CaptionCosts) -> dict[tuple[str, ...], float]:
    """Every sample, as Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(collector)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_a_watched_camera_is_counted_on_when_its_old_captions_go() -> None:
    """It never ends, and only its latest windows are kept: nothing is lost of the counts, nothing counted twice."""
    shelf = Shelf()
    shelf.add("camera")
    collector = CaptionCosts(shelf)
    for count in range(1, 40):
        shelf.answer("camera", count - 1)
        shelf.judge("camera", count)
        assert scraped(collector)[VERDICTS] == count
        shelf.forget("camera", count - 3)
        assert scraped(collector)[PROMPT] == 100 * count


def test_a_camera_is_read_only_from_where_it_is_judged() -> None:
    """A scrape of a long job costs what came since the last."""
    shelf = Shelf()
    shelf.add("camera")
    collector = CaptionCosts(shelf)
    for index in range(200):
        shelf.answer("camera", index)
    shelf.judge("camera", 200)
    scraped(collector)
    before = shelf.read
    shelf.answer("camera", 200)
    scraped(collector)
    assert shelf.read - before <= 2


STEPS = st.lists(
    st.sampled_from(["answer", "fail", "judge", "finish", "scrape", "new job", "forget"]), max_size=40
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_counters_rise_with_what_happens_and_never_fall(steps: list[str]) -> None:
    """Each chunk counts once as soon as it is scraped, whatever ends, begins or is let go of afterwards."""
    shelf, made, answered, failed = Shelf(), 1, 0, 0
    shelf.add("job-1")
    collector = CaptionCosts(shelf)
    last: dict[tuple[str, ...], float] = {}
    chunks = 0
    for step in steps:
        name = f"job-{made}"
        if step in ("answer", "fail") and shelf.kept[name].finished_at is None:
            shelf.answer(name, chunks, None if step == "answer" else "Timeout")
            chunks += 1
            answered += step == "answer"
            failed += step == "fail"
        elif step == "judge":
            shelf.judge(name, chunks)
        elif step == "finish":
            shelf.finish(name)
        elif step == "new job":
            made, chunks = made + 1, 0
            shelf.add(f"job-{made}")
        elif step == "forget" and shelf.kept[name].finished_at is None:
            scraped(collector)
            shelf.forget(name, shelf.kept[name].judged_chunks)
        now = scraped(collector)
        assert all(now[key] >= value for key, value in last.items())
        assert now[VERDICTS] == answered
        assert now["timetravel_caption_outcomes_total", "Timeout"] == failed
        assert now[PROMPT] == 100 * (answered + failed)
        last = now


@pytest.mark.parametrize("jobs", [1, 199, 200, 201, 450])
def test_every_job_of_the_store_counts_however_many(jobs: int) -> None:
    """Page by page."""
    shelf = Shelf()
    for number in range(jobs):
        shelf.add(f"job-{number}")
        shelf.answer(f"job-{number}", 0)
    assert scraped(CaptionCosts(shelf))[VERDICTS] == jobs


def test_two_collectors_on_one_store_count_the_same() -> None:
    """A restart is a new collector; what an old one has seen it sees."""
    shelf = Shelf()
    for name in ("a", "b"):
        shelf.add(name)
        for index in range(5):
            shelf.answer(name, index, "Clipped" if index == 3 else None, latency_ms=100 * index)
        shelf.judge(name, 3)
    shelf.finish("a")
    old = CaptionCosts(shelf)
    scraped(old)
    shelf.answer("b", 5)
    assert scraped(CaptionCosts(shelf)) == scraped(old)


def test_a_real_store_counts_on_after_a_restart(tmp_path: Path) -> None:
    """Closed and opened again; the same series with the same values."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    store.save_captions("job-1", [replace(values.caption(n), stats=dict(COST)) for n in range(4)])
    before = scraped(CaptionCosts(store))
    store.close()
    again = values.open_store(tmp_path)
    assert scraped(CaptionCosts(again)) == before
    again.close()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=12), st.text(max_size=12) | st.sampled_from(PACKINGS)),
        min_size=1,
        max_size=30,
    )
)
def test_series_are_those_that_were_there_from_the_start(told: list[tuple[str | None, str]]) -> None:
    """Whatever codes and packings are written: no new label, and every caption in exactly one outcome."""
    shelf = Shelf()
    shelf.add("job-1")
    collector = CaptionCosts(shelf)
    before = set(scraped(collector))
    for index, (failure, packing) in enumerate(told):
        shelf.answer("job-1", index, failure, packing=packing)
    now = scraped(collector)
    assert set(now) == before
    outcomes = [now["timetravel_caption_outcomes_total", name] for name in OUTCOMES]
    assert sum(outcomes) == len(told)
    sent = sum(packing != "none" for _, packing in told)
    assert sum(now["timetravel_vlm_packings_total", name] for name in PACKINGS) == sent


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 400_000), max_size=25))
def test_buckets_rise_and_the_last_holds_all(times_ms: list[float]) -> None:
    """As a histogram must; the sum is that of the times."""
    shelf = Shelf()
    shelf.add("job-1")
    for index, ms in enumerate(times_ms):
        shelf.answer("job-1", index, latency_ms=ms)
    found = scraped(CaptionCosts(shelf))
    name = "timetravel_vlm_answer_seconds"
    buckets = [found[f"{name}_bucket", bound] for bound in (*map(str, BOUNDS_S), "+Inf")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found[f"{name}_count",] == len(times_ms)
    assert found[f"{name}_sum",] == pytest.approx(sum(times_ms) / 1000)
    for bound, count in zip(BOUNDS_S, buckets, strict=False):
        assert count == sum(ms / 1000 <= bound for ms in times_ms)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e13, "7", None, True, [1], {"a": 1}])
@pytest.mark.parametrize("name", ["input_tokens", "latency_ms", "retries"])
def test_a_number_that_is_none_counts_as_nothing(name: str, value: object) -> None:
    """The rest of the report counts."""
    tally = Tally()
    tally.add(None, {**COST, name: value})
    figures = {"input_tokens": tally.tokens["prompt"], "latency_ms": tally.seconds, "retries": tally.retries}
    assert figures[name] == 0
    assert tally.tokens["completion"] == 10
    assert sum(tally.times) == 1
