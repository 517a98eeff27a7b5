"""A recording of a camera is a job like any other, in whatever language it is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.captions import prompts
from extension.model import JobOptions, JobStatus
from tests.pipeline.test_runner import Bench, _clip
from tests.pipeline.via_double import ViaDouble


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A via-server that sees nothing."""
    with ViaDouble() as double:
        made = Bench(tmp_path, double)
        yield made
        made.store.close()


@pytest.mark.parametrize(
    ("prompt", "chunk_s"), [("camera", 10), ("camera_ko", 10), ("simple_view", 2), ("twin_view", 2)]
)
def test_camera_footage_is_shown_in_longer_chunks(
    bench: Bench, tmp_path: Path, prompt: str, chunk_s: int
) -> None:
    """A fall and the stillness after it must fit in; contacts in a replay are short."""
    job = bench.add(_clip(tmp_path / "yard.mp4", 20.0), options=JobOptions(prompt=prompt))
    bench.runner().run(job)
    assert bench.store.job(job.id).status is JobStatus.DONE
    assert bench.store.job(job.id).chunk_count == 20 // chunk_s
    asked = {(query["system_prompt"], query["prompt"]) for query in bench.double.queries}
    constant = prompts.load(prompt)
    assert asked == {(constant.system, constant.user)}
