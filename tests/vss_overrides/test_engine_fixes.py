"""The two fixes, on an engine that shows both faults: without them chunks are missing, with them none is."""

from __future__ import annotations

import logging
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chunk_caption import engine_fixes
from chunk_caption.engine_fixes import DROP_LIST, FRAME_GETTER, NO_FRAMES, Seam, mismatch
from tests.vss_overrides import engine_double
from tests.vss_overrides.conftest import OVERRIDES
from tests.vss_overrides.engine_double import engine


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    """All that the package logs is seen."""
    caplog.set_level(logging.INFO, logger="chunk_caption")


def getter(package: Any, **kwargs: Any) -> Any:
    """A frame getter of the engine that is imported."""
    return sys.modules[f"{package.__name__}.video_file_frame_getter"].VideoFileFrameGetter(**kwargs)


@pytest.mark.parametrize(("stock", "answered"), [(True, 1), (False, 10)], ids=["stock", "fixed"])
def test_a_reused_decoder_loses_no_chunk(tmp_path: Path, stock: bool, answered: int) -> None:  # noqa: FBT001 -- a table's column
    """Ten chunks through one getter: the stock engine decodes the first alone."""
    with engine(tmp_path, stock=stock) as package:
        one = getter(package)
        frames = [one.get_frames(f"chunk {i}", retain_pipeline=True)[0] for i in range(10)]
    assert sum(map(bool, frames)) == answered
    if not stock:
        assert frames == [[f"frame of chunk {i}"] for i in range(10)]
        assert one.built == 10


def test_a_decoder_that_stays_silent_is_an_error_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once rebuilt, not for ever; the other parts of the result stay as they are."""
    with engine(tmp_path) as package:
        one = getter(package, broken=True)
        assert one.get_frames(chunk="c", retain_pipeline=True) == ([], [], [], NO_FRAMES)
        assert one.built == 2
    assert "fails by name" in caplog.text


def test_an_error_of_the_decoder_is_left_alone(tmp_path: Path) -> None:
    """It has said what was wrong; nothing is rebuilt."""
    with engine(tmp_path) as package:
        one = getter(package)
        assert one.get_frames("unreadable")[3] == "Decode error: unreadable"
        assert one.built == 0


@pytest.mark.parametrize(
    "result", [None, [], ([], []), "text", ([], [], [], "why"), (["f"], [0.0], [], None)]
)
def test_only_silence_is_taken_for_silence(result: Any) -> None:
    """A result of another shape is not ours to judge."""
    assert not engine_fixes._silent(result)


@pytest.mark.parametrize(("stock", "later"), [(True, 0), (False, 10)], ids=["stock", "fixed"])
def test_two_chunks_that_fail_at_once_do_not_spoil_the_next_request(
    tmp_path: Path,
    stock: bool,  # noqa: FBT001 -- a table's column
    later: int,
) -> None:
    """The stock engine answers no chunk of that file any more."""
    with engine(tmp_path, stock=stock) as package:
        pipeline = package.VlmPipeline()
        assert pipeline.request("file", 10, failing=2) == 8
        assert pipeline.request("file", 10) == later
        assert pipeline.request("another", 10) == 10


def test_a_file_stays_on_the_list_while_its_request_runs(tmp_path: Path) -> None:
    """Put on once, taken off once, put on again by the next failure; each file and each pipeline for itself."""
    with engine(tmp_path) as package:
        pipeline, other = package.VlmPipeline(), package.VlmPipeline()
        for _ in range(3):
            for _ in range(5):
                pipeline.abort_chunks("a")
                pipeline.abort_chunks(asset_id="a")
            pipeline.abort_chunks("b")
            other.abort_chunks("a")
            assert (pipeline.dropped, other.dropped) == (["a", "b"], ["a"])
            for name in ("a", "a", "b", "never"):
                pipeline.abort_chunks_done(name)
            other.abort_chunks_done(asset_id="a")
            assert (pipeline.dropped, other.dropped) == ([], [])


def test_many_threads_put_a_file_on_once(tmp_path: Path) -> None:
    """Chunks fail in the threads that await them."""
    with engine(tmp_path) as package:
        pipeline = package.VlmPipeline()
        gate = threading.Barrier(16)

        def fail() -> None:
            gate.wait(20)
            pipeline.abort_chunks("a")

        threads = [threading.Thread(target=fail) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert pipeline.dropped == ["a"]


def test_our_file_passes_the_engines_names_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Those it lists, and any other of the engine's module; what is not there is missed as usual."""
    with engine(tmp_path) as package:
        module = sys.modules["vlm_pipeline.vlm_pipeline"]
        for name in package.__all__:
            assert getattr(package, name) is getattr(module, name)
        assert package.VideoFileFrameGetter is module.VideoFileFrameGetter
        scope: dict[str, Any] = {}
        exec("from vlm_pipeline import *", scope)  # noqa: S102 -- as a module of the engine may
        assert scope["VlmPipeline"] is package.VlmPipeline
        with pytest.raises(AttributeError):
            package.Nothing  # noqa: B018 -- the look-up is the test
        with pytest.raises(AttributeError):
            package.__nothing__  # noqa: B018 -- the look-up is the test
    assert caplog.text.count("fix is on") == 2


def test_the_fixes_are_put_on_once(tmp_path: Path) -> None:
    """A second import of ours would not wrap what is wrapped."""
    with engine(tmp_path) as package:
        wrapped = package.VlmPipeline.abort_chunks
        names = engine_fixes.MODULES
        modules = engine_fixes.imported(names, lambda name: sys.modules[name])
        assert engine_fixes.install(modules) == ["frame getter", "drop list"]
        assert package.VlmPipeline.abort_chunks is wrapped


CHANGED = [
    pytest.param("destroy_pipeline(self)", "tear_down(self)", id="renamed"),
    pytest.param("self, chunk, retain", "self, span, retain", id="another-first-parameter"),
    pytest.param(
        "_clear_pipeline_elements(self)", "_clear_pipeline_elements(self, which)", id="demands-more"
    ),
    pytest.param("class VideoFileFrameGetter", "class FrameGetter", id="no-class"),
    pytest.param("def destroy_pipeline(self)", "@property\n    def destroy_pipeline(self)", id="no-method"),
]


@pytest.mark.parametrize(("was", "now"), CHANGED)
def test_an_engine_that_changed_keeps_its_own_behaviour(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, was: str, now: str
) -> None:
    """One clear line says so; the other fix is on all the same."""
    changed = engine_double.FRAME_GETTER.replace(was, now)
    assert changed != engine_double.FRAME_GETTER
    pipeline = engine_double.PIPELINE.replace(
        "from vlm_pipeline.video_file_frame_getter import VideoFileFrameGetter", ""
    )
    with engine(tmp_path, frame_getter=changed, pipeline=pipeline) as package:
        assert package.VlmPipeline().request("file", 10, failing=2) == 8
        one = sys.modules["vlm_pipeline.video_file_frame_getter"]
        owner = getattr(one, "VideoFileFrameGetter", None)
        assert owner is None or not hasattr(owner.get_frames, "__wrapped__")
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith("the frame getter fix is off and the engine behaves as it comes: ")
    assert "drop list fix is on" in caplog.text


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("abort_chunks(self, asset_id)", "abort_chunks(self, asset_id, why)"),
        ("abort_chunks_done(self, asset_id)", "abort_chunks_done(self)"),
    ],
)
def test_a_changed_drop_list_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, was: str, now: str
) -> None:
    """Its methods would be called wrongly."""
    with engine(tmp_path, pipeline=engine_double.PIPELINE.replace(f"def {was}", f"def {now}")) as package:
        assert not hasattr(package.VlmPipeline.abort_chunks, "__wrapped__")
    assert "the drop list fix is off" in caplog.text
    assert "frame getter fix is on" in caplog.text


def test_a_frame_getter_that_cannot_be_imported_does_not_stop_the_engine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """GStreamer's bindings raise errors of several kinds."""
    pipeline = engine_double.PIPELINE.replace(
        "from vlm_pipeline.video_file_frame_getter import VideoFileFrameGetter", ""
    )
    with engine(tmp_path, frame_getter='raise ValueError("Namespace Gst not available")', pipeline=pipeline):
        pass
    assert "Namespace Gst not available" in caplog.text
    assert "the frame getter fix is off" in caplog.text


def test_a_missing_package_of_ours_does_not_stop_the_engine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the folder is not mounted the engine starts as it comes, and says why."""
    monkeypatch.setitem(sys.modules, "chunk_caption", None)
    with engine(tmp_path) as package:
        assert package.VlmPipeline().request("file", 10) == 10
    assert "the fixes are off" in caplog.text


def test_a_missing_name_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is missed where it is used."""
    pipeline = engine_double.PIPELINE.replace("class VlmModelType", "class ModelType")
    with engine(tmp_path, pipeline=pipeline) as package, pytest.raises(AttributeError):
        package.VlmModelType  # noqa: B018 -- the look-up is the test
    assert "has no VlmModelType" in caplog.text


def test_the_list_of_seams_says_what_the_check_checks() -> None:
    """And names files that are there."""
    told = tomllib.loads((OVERRIDES / "seams.toml").read_text("utf-8"))
    assert told["engines"]
    for seam in told["seam"]:
        assert (OVERRIDES / seam["ours"]).exists()
        assert seam["reason"]
    fixes = [
        Seam(f["name"], f["module"], f["owner"], {name: tuple(args) for name, args in f["methods"].items()})
        for f in told["fix"]
    ]
    assert fixes == [FRAME_GETTER, DROP_LIST]
    names = {name for seam in told["seam"] for name in seam["names"]}
    source = engine_double.OURS.read_text("utf-8")
    assert all(name in source for name in names - {"CompOpenAIModel"})


def test_something_that_is_no_class_does_not_match() -> None:
    """Said in words."""
    assert "no class" in str(mismatch(None, FRAME_GETTER))
