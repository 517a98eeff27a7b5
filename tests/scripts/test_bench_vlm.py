"""The benchmarks of the override measure what they say: reading told times, keeping the book of a server, faults and their rows."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import typer
from hypothesis import given
from hypothesis import strategies as st

from tests.vss_overrides.vlm_double import VlmDouble

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.append(str(SCRIPTS))  # scripts are no package

import bench_asking  # noqa: E402 -- only importable from here on
import bench_concurrency  # noqa: E402 -- as above
import bench_fault_cases  # noqa: E402 -- as above
import bench_fault_rows  # noqa: E402 -- as above
import bench_faults  # noqa: E402 -- as above
import bench_timestamps  # noqa: E402 -- as above
import bench_vlm  # noqa: E402 -- as above
from bench_timestamps import held_against  # noqa: E402 -- as above
from vllm_cpu import NotToBeHad  # noqa: E402 -- as above

PAIRS = "<0.1 seconds>...<0.6 seconds>"
LINE = "\nFrame times in seconds: 0.00, 0.25, 0.50, 0.75\n"


@pytest.mark.parametrize(
    ("text", "true_s", "way", "off_s"),
    [
        pytest.param("<0.00 seconds>p<0.25 seconds>p", [0.0, 0.25], "mark per picture", 0.0, id="pictures"),
        pytest.param(PAIRS, [0.0, 0.25, 0.5, 0.75], "mark per pair", 0.025, id="pairs"),
        pytest.param(PAIRS, [0.0, 0.25, 0.6], "mark per pair", 0.025, id="an-odd-last-frame-stands-alone"),
        pytest.param(PAIRS, [1.0, 1.25, 1.5, 1.75], "mark per pair", 1.025, id="pairs-on-a-wrong-clock"),
        pytest.param(
            f"<0.5 seconds><2.5 seconds>{LINE}the true second is 0.00 + 0.25000 x T.",
            [0.0, 0.25, 0.5, 0.75],
            "list and linear rule",
            0.0,
            id="a-linear-rule-is-followed",
        ),
        pytest.param(
            f"<0.5 seconds><2.5 seconds>{LINE}the true second is 0.00 + 0.50000 x T.",
            [0.0, 0.25, 0.5, 0.75],
            "list and linear rule",
            0.625,
            id="a-wrong-rule-is-noticed",
        ),
        pytest.param(
            f"<0.1 seconds><0.6 seconds>{LINE}a mark T stands for frame number 4 x T of this list",
            [0.0, 0.25, 0.5, 0.75],
            "list and frame numbers",
            0.0,
            id="frame-numbers-are-looked-up",
        ),
        pytest.param(
            f"<0.1 seconds><0.1 seconds>{LINE}a mark T stands for frame number 4 x T of this list",
            [0.0, 0.25, 0.5, 0.75],
            "list and frame numbers",
            0.5,
            id="a-mark-of-another-pair-is-noticed",
        ),
        pytest.param(f"video{LINE}Go by this list", [0.0, 0.25, 0.5, 0.8], "list", 0.05, id="list-alone"),
    ],
)
def test_told_times_are_read_as_the_text_says(text: str, true_s: list[float], way: str, off_s: float) -> None:
    """And held against the true ones; the farthest counts."""
    found_way, found_s = held_against(text, true_s)
    assert found_way == way
    assert found_s == pytest.approx(off_s, abs=1e-9)


@pytest.mark.parametrize("text", ["", "<0.1 seconds>", f"<0.1 seconds>{LINE.replace(', 0.75', '')}"])
def test_a_frame_that_is_not_told_of_is_noticed(text: str) -> None:
    """Missing times are no small error."""
    with pytest.raises(ValueError, match="zip"):
        held_against(text, [0.0, 0.25, 0.5, 0.75])


def test_the_cases_are_chunks_as_the_engine_passes_them() -> None:
    """Ascending times with two decimals; a chunk's frames count from its start."""
    cases = bench_timestamps.cases()
    assert len({case.name for case in cases}) == len(cases) >= 10
    for case in cases:
        assert list(case.times_s) == sorted({round(at, 2) for at in case.times_s})
        assert case.times_s[0] >= case.start_s
    late = next(case for case in cases if case.name == "first frame late")
    assert [frame.time_s for frame in bench_timestamps.chunk_of(late)][:2] == [0.37, 0.87]
    assert any(len(case.times_s) % 2 for case in cases)


def test_noise_differs_from_frame_to_frame_and_not_from_run_to_run() -> None:
    """So that no cache makes a measurement look good, and figures can be had again."""
    first, second = (bench_asking.noisy_frames((64, 48), [0.0, 0.5]) for _ in range(2))
    assert first[0].jpeg != first[1].jpeg
    assert [frame.jpeg for frame in first] == [frame.jpeg for frame in second]


def test_the_table_of_sizes_is_the_promised_one() -> None:
    """Thirteen rows."""
    assert len(bench_vlm.SIZES) == len(set(bench_vlm.SIZES)) == 13
    assert {(20, 532, 280), (40, 1280, 720), (8, 480, 270)} <= set(bench_vlm.SIZES)


def test_without_vllm_the_benchmark_leaves_with_three(capsys: pytest.CaptureFixture[str]) -> None:
    """And says why; a bar that is missed is one."""

    def cannot() -> bool:
        raise NotToBeHad("no wheels for this machine")

    with pytest.raises(typer.Exit) as left:
        bench_asking.or_leave(cannot)
    assert left.value.exit_code == 3
    assert "no wheels for this machine" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(typer.Exit) as left:
        bench_asking.or_leave(lambda: False)
    assert left.value.exit_code == 1
    bench_asking.or_leave(lambda: True)


def test_a_server_without_work_is_idle() -> None:
    """Two seconds of work, one of nothing, one of work: a quarter idle."""
    found = bench_concurrency.busy([(0.0, 1), (2.0, -1), (3.0, 1), (4.0, -1)])
    assert found.idle == pytest.approx(0.25)
    assert found.most_at_once == 1
    assert found.empty_places == pytest.approx((2 * 15 + 1 * 16) / (3 * 16))


def test_a_full_server_has_no_empty_places() -> None:
    """What it finishes after its last request has come does not count against the client."""
    book = [(0.0, 1)] * 16 + [(1.0, -1), (1.0, 1), *[(1.5, -1)] * 16]
    found = bench_concurrency.busy(book)
    assert (found.idle, found.empty_places, found.most_at_once) == (0.0, 0.0, 16)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 5)), min_size=1, max_size=40))
def test_shares_are_shares(asked: list[tuple[float, float]]) -> None:
    """Whatever the book holds."""
    book = [change for at, lasts in asked for change in ((at, 1), (at + lasts, -1))]
    found = bench_concurrency.busy(book)
    assert 0.0 <= found.idle <= 1.0
    assert 0.0 <= found.empty_places <= 1.0 + 1e-9
    assert 1 <= found.most_at_once <= len(asked)


def test_chunks_go_through_the_override_as_the_engine_calls_it() -> None:
    """All answered, many at once, and written into the server's own book."""
    with bench_concurrency.SlowVlm(0.05) as vlm, bench_concurrency.adapter(vlm.environment) as model:
        seconds, answered = bench_concurrency.ask_all(model, 20)
        found = bench_concurrency.busy(vlm.changes)
    assert answered == 20
    assert seconds < 20 * 0.05 + 10
    assert len(vlm.changes) == 40
    assert 2 <= found.most_at_once <= 16


def double_rows(folder: Path) -> dict[str, bench_fault_rows.Row]:
    """The rows that a double plays, by name."""
    return {row.fault: row for row in bench_fault_rows.rows(folder) if not row.real}


def test_every_fault_has_a_name_and_a_bound(tmp_path: Path) -> None:
    """And something to expect."""
    rows = bench_fault_rows.rows(tmp_path)
    assert len({row.fault for row in rows}) == len(rows) >= 25
    for row in rows:
        assert row.expected
        assert row.most_s <= 30.0
        schema = row.knobs.get("SCHEMA_FILE")
        assert schema is None or json.loads(Path(schema).read_text())["type"] == "object"


@pytest.mark.parametrize(
    ("fault", "became"),
    [
        ("connection reset, once", "answered"),
        ("half an answer, then closed", "answered"),
        ("an empty answer", "Empty"),
        ("this way of sending media is not implemented (501)", "Refused"),
        ("frame lists fail with 500 (vLLM before 0.26)", "answered"),
        ("videos are taken and not looked at", "answered"),
    ],
)
def test_a_fault_is_played_and_written_down(tmp_path: Path, fault: str, became: str) -> None:
    """With what the server said, what became of the chunk, and that it held."""
    line = bench_faults.on_double(double_rows(tmp_path)[fault])
    assert (line["became"], line["holds"]) == (became, True), line
    assert line["where"] == "double"


def test_a_fault_that_is_not_met_as_promised_does_not_hold(tmp_path: Path) -> None:
    """The table can fail."""
    row = double_rows(tmp_path)["connection reset, once"]
    for change in ({"expected": ("Refused",)}, {"most_s": 0.0}, {"most_retries": 0}):
        assert bench_faults.on_double(replace(row, **change))["holds"] is False


def test_what_the_server_said_stands_in_the_line(tmp_path: Path) -> None:
    """Without the retries' own words."""
    line = bench_faults.on_double(double_rows(tmp_path)["queue full, for ever"])
    assert "503" in line["server"]
    assert "busy" in line["server"]
    assert line["retries"] == 2


@pytest.mark.parametrize("case", ["no_frames", "drop_list", "two_at_once"])
def test_the_engines_faults_are_mended(tmp_path: Path, case: str) -> None:
    """The engine as it comes loses chunks, with the fixes it loses none."""
    line: dict[str, Any] = getattr(bench_fault_cases, case)(tmp_path)
    assert line["holds"] is True, line


@pytest.mark.parametrize("case", ["later", "not_openai", "no_tls"])
def test_an_endpoint_that_is_none_is_told_by_name(case: str) -> None:
    """Each with the words that a person needs."""
    line: dict[str, Any] = getattr(bench_fault_cases, case)()
    assert line["holds"] is True, line


def test_the_table_shows_every_line(tmp_path: Path) -> None:
    """One row each, with what does not hold marked."""
    line = bench_faults.on_double(double_rows(tmp_path)["an empty answer"])
    shown = bench_faults.table([line, line | {"holds": False}])
    assert shown.row_count == 2
    assert list(shown.columns[3].cells) == ["Empty", "[red]Empty[/red]"]


READINGS = {
    "the-users-flags": {"jpeg_fps": 1.0},
    "the-profiles-flags": {"jpeg_fps": 4.0},
    "with-options": {"options": True},
}


@pytest.fixture
def vlm() -> Iterator[VlmDouble]:
    """A double with the token limit of the profile."""
    with VlmDouble(max_model_len=8192) as double:
        yield double


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("packing", bench_vlm.PACKINGS)
def test_rows_of_times_hold_on_servers_of_every_kind(
    vlm: VlmDouble, packing: str, reading: dict[str, Any]
) -> None:
    """On the double, which writes marks by its own arithmetic, as on the real server."""
    vlm.reading = replace(vlm.reading, **reading)
    asker = bench_asking.Asker(vlm.environment, PACKING=packing)
    for case in bench_timestamps.cases():
        if len(case.times_s) <= 20:
            row = bench_timestamps.row(asker, packing, case)
            assert row["off_s"] <= bench_timestamps.MOST_OFF_S, row
            assert (row["mispredicted"], row["frames"]) == (0, len(case.times_s)), row
    asker.close()


def test_frames_left_out_by_the_budget_are_left_out_of_the_true_times(vlm: VlmDouble) -> None:
    """Only what was sent can be told."""
    asker = bench_asking.Asker(vlm.environment, PACKING="images")
    case = next(case for case in bench_timestamps.cases() if case.name == "more than fit")
    row = bench_timestamps.row(asker, "images", case)
    asker.close()
    assert 1 < row["frames"] < row["given"] == 130
    assert row["off_s"] == 0.0


@contextmanager
def served(double: VlmDouble) -> Iterator[SimpleNamespace]:
    """Stands for a server that was started."""
    yield SimpleNamespace(environment=double.environment, endpoint=double.endpoint)


def test_the_benchmark_of_times_writes_its_report(
    vlm: VlmDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Worst of all rows, the bar, and whether it holds; a server that tells wrong times misses it."""
    monkeypatch.setattr(bench_timestamps, "serving", lambda *_, **__: served(vlm))
    monkeypatch.setattr(bench_timestamps, "cases", lambda: [case for case in CASES if case.name == "two"])
    monkeypatch.setattr(bench_timestamps, "PACKINGS", ("images", "video_jpeg"))
    report = tmp_path / "report.json"
    bench_timestamps.timestamps(report)
    page = json.loads(report.read_text())
    assert (page["benchmark"], page["holds"], page["rows"]) == ("timestamps", True, 3 * 2)
    assert page["worst_off_s"] <= 0.06

    monkeypatch.setattr(bench_timestamps, "held_against", lambda *_: ("mark per pair", 0.5))
    with pytest.raises(typer.Exit):
        bench_timestamps.timestamps(report)
    assert json.loads(report.read_text())["holds"] is False


CASES = bench_timestamps.cases()


def test_the_benchmark_of_tokens_writes_its_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The worst row decides; one token beside the prediction is enough to miss the bar."""
    ours = {"tokens": 500, "ratio": 0.5, "frames_ratio": 0.52, "frames": 8, "off": 0}

    def row(_: Any, count: int, width: int, height: int) -> dict[str, Any]:
        found = {packing: dict(ours) for packing in bench_vlm.PACKINGS}
        found["images"]["off"] = spoilt
        size = {"frames": count, "size": f"{width}x{height}", "stock_tokens": 1000}
        return size | found | {"ratio": 0.5, "whole_ratio": 0.6}

    spoilt = 0
    monkeypatch.setattr(bench_vlm, "size_row", row)
    with VlmDouble() as vlm:
        monkeypatch.setattr(bench_vlm, "serving", lambda *_, **__: served(vlm))
        bench_vlm.tokens(tmp_path / "report.json")
        page = json.loads((tmp_path / "report.json").read_text())
        assert (page["rows"], page["worst_ratio"], page["mispredicted_tokens"], page["holds"]) == (
            13,
            0.5,
            0,
            True,
        )
        spoilt = 1
        with pytest.raises(typer.Exit):
            bench_vlm.tokens(tmp_path / "report.json")


def test_the_benchmark_of_concurrency_writes_its_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Medians of its runs, with a slow VLM in a process of its own."""
    for name, value in (
        ("FEW", 3),
        ("MANY", 5),
        ("ANSWER_S", 0.02),
        ("MOST_FEW_S", 60.0),
        ("MOST_IDLE", 1.0),
    ):
        monkeypatch.setattr(bench_concurrency, name, value)
    report = tmp_path / "report.json"
    bench_concurrency.concurrency(runs=1, report=report)
    page = json.loads(report.read_text())
    assert (page["answered"], page["holds"], page["runs"]) == (8, True, 1)
    assert 0 <= page["idle"] <= 1
    assert page["bar"] == {"few_s": 60.0, "idle": 1.0}


def test_the_stock_way_sends_separate_pictures_and_times_in_a_sentence(vlm: VlmDouble) -> None:
    """As the engine's own model does; our text is not in it."""
    asker = bench_asking.Asker(vlm.environment, PACKING="images")
    asker.stock(bench_asking.noisy_frames((64, 48), [0.0, 0.5, 1.0]))
    asker.close()
    (request,) = vlm.requests
    *pictures, text = request.user_parts
    assert [part["type"] for part in pictures] == ["image_url"] * 3
    assert "<0.0> <0.5> <1.0>" in text["text"]
    assert len(request.body["messages"]) == 1


def test_a_prompt_alone_is_a_prompt_alone(vlm: VlmDouble) -> None:
    """With a system text before it where that is asked for."""
    asker = bench_asking.Asker(vlm.environment, PACKING="images")
    assert asker.bare_tokens() == asker.bare_tokens(system="x") == 100
    asker.close()
    assert [len(request.body["messages"]) for request in vlm.requests] == [1, 2]
    assert vlm.requests[0].body["messages"][0]["content"] == bench_asking.PROMPT


def test_the_same_words_of_a_server_are_told_once(tmp_path: Path) -> None:
    """Four refusals in the same words are one; the override's own codes are left out."""
    row = replace(double_rows(tmp_path)["queue full, for ever"], knobs={"RETRIES": "1"})
    said = bench_faults.on_double(row)["server"]
    assert said == "503: The engine is currently busy and cannot accept new requests"


def test_a_chunk_that_is_never_sent_blames_no_server(tmp_path: Path) -> None:
    """No word of it reaches anyone."""
    row = next(row for row in bench_fault_rows.rows(tmp_path) if row.fault == "no frame at all")
    with VlmDouble() as vlm:
        line = bench_faults.on_double(row)
        assert vlm.requests == []
    assert (line["server"], line["became"], line["packing"]) == ("not asked", "NoFrames", "none")


def test_a_worker_is_looked_for_in_its_own_group_alone() -> None:
    """This run has none."""
    with pytest.raises(ProcessLookupError, match="no worker"):
        bench_fault_cases._worker_of(-1)


def test_bytes_are_passed_on_both_ways(vlm: VlmDouble) -> None:
    """To the address that was closed before."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    with bench_fault_cases._forwarding(address, vlm.endpoint):
        page = requests.get(f"{address}/models", timeout=20).json()
    assert page == vlm.models
