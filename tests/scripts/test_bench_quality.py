"""The quality benchmark: its rows and sums are right for made-up scores, and every shot is scored as the service would judge it."""

from __future__ import annotations

import importlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from extension.model import Caption, Incident, Kind
from extension.sources.replay.style import Level
from extension.timetravel.contacts import contacts
from extension.timetravel.evaluation import Score, occurrences_of
from tests.pipeline.replays import START, caption, log_of, seen_by
from tests.store import values

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
WAYS = ("vlm alone", "log alone", "both")
COLUMNS = [(way, tolerance_s, unit) for way in WAYS for tolerance_s in (1.0, 0.0) for unit in ("att", "det")]


@pytest.fixture(name="bench")
def the_script() -> Iterator[ModuleType]:
    """The script as a module; scripts are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("bench_quality")


@pytest.fixture(scope="module", name="rows")
def the_rows() -> Iterator[ModuleType]:
    """The same, for properties, which need no fixture of each example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("bench_quality")


def tally(**of: Score) -> Any:
    """The same score in every column of a way; names are the ways', blanks as underscores."""
    made: Any = defaultdict(list)
    for way, tolerance_s, unit in COLUMNS:
        made[way, tolerance_s, unit].append(of[way.replace(" ", "_")])
    return made


GOOD, FAIR, POOR = Score(9, 1, 1), Score(8, 2, 2), Score(5, 5, 5)


def test_a_row_is_the_score_of_summed_counts(bench: ModuleType) -> None:
    """Not the mean of F1: a log of many contacts counts for more."""
    one, other = tally(vlm_alone=POOR, log_alone=FAIR, both=GOOD), Score(0, 0, 10)
    for column in COLUMNS:
        one[column].append(other)
    row = bench._row((25.0, "full", 3.0), one)
    assert row["att_f1_1s"] == {
        "vlm alone": round(10 / 30, 4),
        "log alone": round(16 / 30, 4),
        "both": round(18 / 30, 4),
    }
    assert (row["noise_cm"], row["level"], row["speed"], row["contacts"]) == (25.0, "full", 3.0, 20)
    assert set(row) >= {"att_f1_1s", "att_f1_0s", "det_f1_1s", "det_f1_0s"}


@pytest.mark.parametrize(
    ("scores", "holds"),
    [
        pytest.param((POOR, FAIR, GOOD), True, id="better-than-either"),
        pytest.param((POOR, FAIR, FAIR), True, id="as-good-as-the-better"),
        pytest.param((GOOD, POOR, FAIR), False, id="worse-than-the-vlm"),
        pytest.param((POOR, GOOD, FAIR), False, id="worse-than-the-log"),
        pytest.param((POOR, Score(1000, 0, 0), Score(998, 2, 2)), True, id="a-hair-worse"),
        pytest.param((POOR, Score(1000, 0, 0), Score(990, 10, 10)), False, id="a-hundredth-worse"),
    ],
)
def test_both_must_not_be_worse_than_either(
    bench: ModuleType, scores: tuple[Score, Score, Score], *, holds: bool
) -> None:
    """By less than half a hundredth, in every figure of a second's tolerance."""
    vlm, log, both = scores
    row = bench._row((0.0, "all", 0.0), tally(vlm_alone=vlm, log_alone=log, both=both))
    assert row["both_not_worse"] is holds


def test_the_strict_figures_are_shown_and_do_not_decide(bench: ModuleType) -> None:
    """A video shows no instant exactly."""
    made = tally(vlm_alone=FAIR, log_alone=FAIR, both=FAIR)
    for unit in ("att", "det"):
        made["log alone", 0.0, unit] = [GOOD]
    row = bench._row((0.0, "all", 0.0), made)
    assert row["att_f1_0s"]["log alone"] > row["att_f1_0s"]["both"]
    assert row["both_not_worse"] is True


def test_one_bad_unit_is_enough_not_to_hold(bench: ModuleType) -> None:
    """When alone counts as well as when and who."""
    made = tally(vlm_alone=FAIR, log_alone=FAIR, both=FAIR)
    made["vlm alone", 1.0, "det"] = [GOOD]
    assert bench._row((0.0, "all", 0.0), made)["both_not_worse"] is False


counts = st.builds(Score, st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))


@settings(max_examples=30)
@given(st.lists(counts, max_size=6))
def test_the_whole_is_the_sum_of_its_parts(rows: ModuleType, scores: list[Score]) -> None:
    """Every count by itself."""
    whole = rows._whole(scores)
    assert whole.matched == sum(one.matched for one in scores)
    assert whole.false_alarms == sum(one.false_alarms for one in scores)
    assert whole.missed == sum(one.missed for one in scores)


@settings(max_examples=30)
@given(st.dictionaries(st.tuples(st.sampled_from([0.0, 25.0]), st.sampled_from("ab"), st.just(1.0)), counts))
def test_a_sum_holds_the_rows_of_its_noise_only(
    rows: ModuleType, found: dict[tuple[float, str, float], Score]
) -> None:
    """Every level and speed, in every column."""
    tallies = {key: tally(vlm_alone=one, log_alone=one, both=one) for key, one in found.items()}
    for noise_cm in (0.0, 25.0):
        expected = rows._whole([one for key, one in found.items() if key[0] == noise_cm])
        total = rows._sum(tallies, noise_cm)
        assert all(rows._whole(total[column]) == expected for column in COLUMNS)


def test_a_sum_leaves_its_rows_as_they_are(bench: ModuleType) -> None:
    """They are printed beside it."""
    tallies = {(0.0, level, 1.0): tally(vlm_alone=POOR, log_alone=FAIR, both=GOOD) for level in "ab"}
    bench._sum(tallies, 0.0)
    assert all(len(one) == 1 for made in tallies.values() for one in made.values())


def test_the_table_has_a_line_for_each_row(bench: ModuleType) -> None:
    """Three figures in each cell: the ways in their order."""
    made = tally(vlm_alone=POOR, log_alone=FAIR, both=GOOD)
    rows = [bench._row(key, made) for key in ((0.0, "full", 3.0), (25.0, "all", 0.0))]
    console = Console(file=io.StringIO(), width=140)
    console.print(bench._table(rows))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert text.count("0.500 / 0.800 / 0.900") == 6
    assert "3x" in text
    assert "25 cm" in text


LOG = log_of({("1", "2"): [(5.0, 6.0)], ("3", "4"): [(11.0, 12.0)]}, 20.0)
TRUTH = occurrences_of(contacts(LOG), LOG.start_at)


def shot(bench: ModuleType, folder: Path) -> Any:
    """A drawn replay, without its drawing."""
    return bench.Shot("log-0", Level.FULL, 1.0, 0.0, LOG, TRUTH, folder / "v.mp4", folder / "l.csv")


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        pytest.param(seen_by(TRUTH, 10), {"vlm alone": 1.0, "log alone": 1.0, "both": 1.0}, id="all-seen"),
        pytest.param(
            [caption(n, []) for n in range(10)], {"vlm alone": 0.0, "log alone": 1.0, "both": 1.0}, id="blind"
        ),
        pytest.param(
            [caption(n, None) for n in range(10)],
            {"vlm alone": 0.0, "log alone": 1.0, "both": 1.0},
            id="failed",
        ),
        pytest.param(
            [caption(n, [(0.0, 1.0, "15")]) for n in range(10)],
            {"vlm alone": 0.0, "log alone": 1.0, "both": 1.0},
            id="inventing",
        ),
    ],
)
def test_each_way_is_scored_as_it_would_be_judged(
    bench: ModuleType, tmp_path: Path, said: list[Caption], figures: dict[str, float]
) -> None:
    """On a clean log, the log alone is right, whatever the VLM says of it."""
    made: Any = defaultdict(list)
    for way, options in bench.WAYS.items():
        bench._score(shot(bench, tmp_path), said, way, options, made)
    assert {way: bench._whole(made[way, 1.0, "att"]).f1 for way in WAYS} == figures
    assert all(len(made[column]) == 1 for column in COLUMNS)


def test_only_contacts_with_an_instant_are_reports(bench: ModuleType) -> None:
    """A fall is none, nor is what no clock anchors."""
    found: list[Incident] = [
        values.incident("a", start_at=START, end_at=START),
        values.incident("b", kind=Kind.FALL),
        values.incident("c", start_at=None),
    ]
    (report,) = bench._occurrences(found, START)
    assert (report.start_s, report.end_s, report.objects) == (0.0, 0.0, ("1", "4"))


def test_shots_are_every_level_clean_and_with_noise(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one speed clean and at the other with noise; the truth is the clean log's, and a seed gives the same again."""
    drawn: list[Path] = []
    monkeypatch.setattr(bench, "render", lambda _log, _style, path: drawn.append(path))
    shots = list(bench._shots(3, 0, tmp_path))
    assert [(one.level, one.noise_cm, one.speed) for one in shots] == [
        *((level, 0.0, 1.0) for level in Level),
        *((level, 25.0, 3.0) for level in Level),
    ]
    assert len({one.truth for one in shots}) == 1
    assert all(one.truth for one in shots)
    assert [one.video for one in shots] == drawn
    again = list(bench._shots(3, 0, tmp_path))
    assert [one.truth for one in again] == [one.truth for one in shots]
    other = next(iter(bench._shots(3, 1, tmp_path)))
    assert (other.speed, other.truth == shots[0].truth) == (3.0, False)


@pytest.mark.parametrize(("logs", "bar", "holds"), [(2, 2, True), (1, 2, False)])
def test_the_report_holds_rows_sums_and_the_bar(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: int, bar: int, *, holds: bool
) -> None:
    """It cannot hold with fewer logs than were promised; failed chunks are counted."""

    @contextmanager
    def nothing_started(_folder: Path) -> Iterator[tuple[None, None]]:
        yield None, None

    def shots(_seed: int, number: int, folder: Path) -> Iterator[Any]:
        for noise_cm in (0.0, 25.0):
            video = folder / f"{number}-{noise_cm}.mp4"
            video.touch()
            yield bench.Shot("x", Level.FULL, 1.0, noise_cm, LOG, TRUTH, video, video)

    def captions(*_: object) -> list[Caption]:
        return [*seen_by(TRUTH, 9), caption(9, None)]

    monkeypatch.setattr(bench, "analysing", nothing_started)
    monkeypatch.setattr(bench, "_shots", shots)
    monkeypatch.setattr(bench, "_captions", captions)
    monkeypatch.setattr(bench, "LOGS", bar)
    bench.replay_quality(seed=4, logs=logs, report=tmp_path / "r.json")
    page = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (page["benchmark"], page["seed"], page["logs"], page["holds"]) == (
        "replay-quality",
        4,
        logs,
        holds,
    )
    assert page["failed_chunks"] == 2 * logs
    assert [(row["noise_cm"], row["level"]) for row in page["all"]] == [(0.0, "full"), (25.0, "full")]
    assert [(row["noise_cm"], row["level"]) for row in page["sums"]] == [(0.0, "all"), (25.0, "all")]
    assert all(row["contacts"] == 2 * logs for row in page["sums"])


def test_answers_are_read_as_the_service_reads_them(bench: ModuleType, tmp_path: Path) -> None:
    """From the text that the VLM gave, chunk by chunk; the prompt fits the view."""
    text = '{"status": "danger", "events": [{"kind": "collision", "start_s": 0.5, "end_s": 1.0, "severity": "danger", "objects": ["1", "2"]}], "summary": ""}'
    asked: list[Any] = []

    def run(wanted: Any) -> Any:
        asked.append(wanted)
        return SimpleNamespace(job=SimpleNamespace(id="job-9"))

    def given_captions(job_id: str) -> list[Any]:
        assert job_id == "job-9"
        return [SimpleNamespace(text=text, chunk_index=2, start_s=4.0, end_s=6.0, stats={"latency_ms": 3})]

    follower, api = SimpleNamespace(run=run), SimpleNamespace(captions=given_captions)
    (found,) = bench._captions(shot(bench, tmp_path), follower, api)
    assert found.verdict is not None
    assert [(one.span.start_s, one.objects) for one in found.verdict.claims] == [(4.5, ("1", "2"))]
    assert (asked[0].prompt, asked[0].geometry, asked[0].start_at) == ("twin_view", False, START)
