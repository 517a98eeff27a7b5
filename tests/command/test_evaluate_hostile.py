"""Files that somebody made to break the reader are refused by name, never with a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from extension import cli
from extension.charts.evaluation import _short
from extension.errors import BadInput
from extension.timetravel.readback import finite, raw_answers_of, read_raw_answers
from extension.timetravel.scoring_stats import bootstrap

DEEP = "[" * 100_000


def _raw(**changes: Any) -> dict[str, Any]:
    chunk = {"start_time": "0.0", "end_time": "2.0", "content": "[]", **changes}
    return {"model": "m", "chunk_responses": [chunk]}


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e400", float("nan")])
@pytest.mark.parametrize("field", ["start_time", "end_time"])
def test_times_that_are_no_times_are_refused(field: str, number: object) -> None:
    """Neither endless nor undefined; the chunk is named."""
    with pytest.raises(ValueError, match=r"chunk 1: .*not a finite number"):
        raw_answers_of(_raw(**{field: number}))


def test_a_duration_that_is_none_is_refused(tmp_path: Path) -> None:
    """It would end up in averages."""
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({**_raw(), "execution_time": "nan"}))
    with pytest.raises(BadInput, match=r"answers\.json: .*not a finite number"):
        read_raw_answers(file)


@pytest.mark.parametrize("name", ["answers.json", "answers.jsonl", "truth.json"])
def test_endless_nesting_is_refused(tmp_path: Path, name: str) -> None:
    """One sentence and exit code 1, whichever file it is."""
    log = tmp_path / "log.csv"
    log.write_text(
        "timestamp,objid,x,y,z\n2025-01-01 00:00:00,obj001,0,0,0\n2025-01-01 00:00:01,obj001,1,0,0\n"
    )
    file = tmp_path / name
    file.write_text(DEEP)
    truth, answers = (file, log) if name == "truth.json" else (log, file)
    done = CliRunner().invoke(cli.app, ["eval", "--truth", str(truth), "--answers", str(answers)])
    assert isinstance(done.exception, BadInput | SystemExit)
    assert not isinstance(done.exception, RecursionError)


@pytest.mark.parametrize("value", ["soon", [], {}, None])
def test_what_is_no_number_is_refused(value: object) -> None:
    """By type or by value."""
    with pytest.raises((ValueError, TypeError)):
        finite(value)


def test_an_interval_does_not_hang_on_the_last_bits() -> None:
    """Three times the figures give three times the interval."""
    runs = np.array([[0.1], [0.2], [0.3], [0.4]])
    once, thrice = (bootstrap(rows.tolist(), _mean, seed=1) for rows in (runs, 3 * runs))
    assert once is not None
    assert thrice is not None
    assert (thrice.low, thrice.high) == pytest.approx((3 * once.low, 3 * once.high))


def _mean(resampled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    means: npt.NDArray[np.float64] = resampled.mean(axis=(1, 2))
    return means


@pytest.mark.parametrize(
    ("name", "shown"), [("qwen", "qwen"), ("_hidden", " _hidden"), ("x" * 40, "x" * 17 + "…")]
)
def test_names_fit_their_charts_and_are_never_hidden(name: str, shown: str) -> None:
    """The plotting library hides labels that begin with an underscore."""
    assert _short(name) == shown
