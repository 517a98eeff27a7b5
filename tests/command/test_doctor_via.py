"""What the doctor says of a via-server: which engine it speaks like, whether our override is inside, and what became of a drawn clip."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.command import lock
from extension.command.doctor import Finding, State, clip, examine
from extension.command.doctor.targets import targets
from extension.command.doctor.via import engine_of
from extension.model import Caption, Chunk, Claim, Kind, Severity, Span, Verdict
from extension.settings import Settings, load
from extension.stack.embedded import EmbeddedStack
from tests.deploy import wrong_endpoints
from tests.pipeline.via_double import ViaDouble

CONTACT: dict[str, Any] = {
    "kind": "collision",
    "start_s": 2.2,
    "end_s": 4.0,
    "severity": "danger",
    "objects": ["1", "2"],
    "clock": "13:37:44",
    "description": "",
}
RIGHT = json.dumps({"status": "danger", "events": [CONTACT], "summary": "", "clock": "13:37:42"})
REPORT = json.dumps({"packing": "mp4", "frames": 20, "latency_ms": 9, "retries": 0, "input_tokens": 7})
Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Settings with the given environment."""

    def made(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load(None, data_dir=tmp_path / "data", port=0)

    return made


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings, SystemClock())}


def _answering(content: str, report: str = REPORT) -> ViaDouble:
    """A via-server whose VLM answers so."""

    def script(query: dict[str, Any], number: int) -> tuple[int, Any]:
        del number
        item = {"start_time": "0.0", "end_time": "4.0", "content": content, "reasoning_description": report}
        return 200, {"id": query["id"], "chunk_responses": [item]}

    return ViaDouble(script)


def _failing(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def test_a_right_answer_proves_four_things_at_once(configure: Configure) -> None:
    """Overrides, packing, answers and times; the clip is deleted again."""
    with _answering(RIGHT) as via:
        found = _found(configure(VIA_BACKEND=via.url))
        assert (via.added, via.files) == (1, {})
        (query,) = via.queries
    names = ("via-server", "overrides", "via to vlm", "packing", "answers", "timestamps")
    assert {found[name].state for name in names} == {State.PASS}
    assert "mp4" in found["packing"].detail
    assert "drawn clip" in found["timestamps"].detail
    assert "the via-server's own" in found["vlm"].detail
    assert (query["media_info"]["end_offset"], query["chunk_duration"]) == (4, 4)
    assert "13:37" not in json.dumps(query)


def test_a_stock_engine_is_told_from_ours(configure: Configure) -> None:
    """Its answers come without a report; that is a warning, since they can be read all the same."""
    with _answering(RIGHT, report="") as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["overrides"].state is State.WARN
    assert "compose.override.yaml" in found["overrides"].fix
    assert found["packing"].state is State.WARN
    assert found["timestamps"].state is State.PASS


def test_a_vlm_that_the_via_server_does_not_reach_fails_in_the_overrides_words(configure: Configure) -> None:
    """They name the setting."""
    said = "the VLM answered 401: Unauthorized (mend VIA_VLM_API_KEY)"
    with _answering(_failing("Refused", said), REPORT.replace("mp4", "none")) as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["via to vlm"].state is State.FAIL
    assert found["via to vlm"].detail == f"Refused: {said}"
    assert found["overrides"].state is State.PASS


LOOPBACK = {
    "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": wrong_endpoints.MODEL,
    "VIA_VLM_API_KEY": wrong_endpoints.KEY,
}


def test_a_loopback_address_inside_a_container_is_explained(configure: Configure) -> None:
    """The VLM answers us, and not the via-server: the line to set is said."""
    with wrong_endpoints.strict() as vlm, _answering(_failing("Unreachable", "no")) as via:
        found = _found(configure(VIA_BACKEND=via.url, VIA_VLM_ENDPOINT=f"{vlm}/v1", **LOOPBACK))
    assert found["vlm"].state is State.PASS
    port = vlm.rpartition(":")[2]
    line = f"set VIA_SERVER_VLM_ENDPOINT=http://host.docker.internal:{port}/v1"
    assert found["via to vlm"].fix == line


@pytest.mark.parametrize(("told", "warned"), [("", True), ("http://host.docker.internal:9/v1", False)])
def test_a_loopback_address_is_warned_of_before_the_via_server_runs(
    configure: Configure,
    told: str,
    warned: bool,  # noqa: FBT001 -- a table's column
) -> None:
    """Unless the container was told another."""
    with wrong_endpoints.strict() as vlm, ViaDouble() as via:
        via.script = lambda *_: (500, {"code": "x", "message": "not yet"})
        environment = {"VIA_VLM_ENDPOINT": f"{vlm}/v1", "VIA_SERVER_VLM_ENDPOINT": told, **LOOPBACK}
        found = _found(configure(VIA_BACKEND=via.url, **environment))
    assert ("vlm address" in found) == warned
    assert found["via to vlm"].state is State.FAIL


def test_an_answer_of_no_form_fails(configure: Configure) -> None:
    """The service could not read it either."""
    with _answering("The two discs seem to be close.") as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["via to vlm"].state is State.FAIL
    assert "Garbled" in found["via to vlm"].detail
    assert found["answers"].state is State.FAIL


def test_a_misread_clip_is_a_warning(configure: Configure) -> None:
    """A model may misread; the finding says what."""
    with _answering(RIGHT.replace("2.2", "0.4")) as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["timestamps"].state is State.WARN
    assert "placed at 0.4 s" in found["timestamps"].detail


def test_an_answer_without_the_chunk_is_told(configure: Configure) -> None:
    """The engine drops chunks without a word."""
    with ViaDouble(lambda query, _: (200, {"id": query["id"], "chunk_responses": []})) as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert "without the clip's one chunk" in found["via to vlm"].detail
    assert found["overrides"].state is State.WARN


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "is no via-server"), ("/v1", "is no via-server")],
)
def test_something_else_at_the_address_is_told(configure: Configure, path: str, said: str) -> None:
    """The VLM's own address, for one."""
    with wrong_endpoints.strict() as url:
        found = _found(configure(VIA_BACKEND=f"{url}{path}"))
    assert found["via-server"].state is State.FAIL
    assert said in found["via-server"].detail or "401" in found["via-server"].detail


def test_a_page_in_place_of_models_is_told(configure: Configure) -> None:
    """A web server answers every path."""
    with wrong_endpoints.web_page() as url:
        found = _found(configure(VIA_BACKEND=url))
    assert found["via-server"].state is State.FAIL
    assert "VIA_BACKEND" in found["via-server"].fix


def _described(maximum: int) -> dict[str, Any]:
    limits = {"VlmQuery": {"properties": {"max_tokens": {"type": "integer", "maximum": maximum}}}}
    return {"paths": {"/files": {}, "/generate_vlm_captions": {}}, "components": {"schemas": limits}}


@pytest.mark.parametrize(
    ("page", "engine"),
    [
        pytest.param(_described(1024), "2.4.0", id="2.4.0"),
        pytest.param(_described(10240), "2.4.1", id="2.4.1"),
        pytest.param(_described(7), "", id="a-limit-nobody-knows"),
        pytest.param({"paths": {"/v1/generate_vlm_captions": {}}}, "", id="no-schemas"),
        pytest.param({"paths": {"/summarize": {}, "/files": {}}}, "2.3", id="before-captions"),
        pytest.param({"paths": {"/v1/generate_captions": {}, "/v1/files": {}}}, "3", id="rt-vlm"),
        pytest.param({"paths": {"/": {}}}, "", id="something-else"),
    ],
)
def test_an_engine_is_known_by_its_contract(page: dict[str, Any], engine: str) -> None:
    """It tells no version; the limits of a caption request differ."""
    assert engine_of(page) == engine


def test_an_engine_that_describes_nothing_is_unknown(configure: Configure) -> None:
    """Said so, with what it should be."""
    with _answering(RIGHT) as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["engine"].state is State.WARN
    assert "unknown" in found["engine"].detail


class OldEngine(ViaDouble):
    """An engine from before captions."""

    def get(self, path: str) -> tuple[int, Any]:
        """It describes itself."""
        return (200, {"paths": {"/summarize": {}}}) if path == "/openapi.json" else super().get(path)


def test_an_engine_without_captions_fails(configure: Configure) -> None:
    """There is nothing to work with."""
    with OldEngine() as via:
        found = _found(configure(VIA_BACKEND=via.url))
    assert found["engine"].state is State.FAIL
    assert "2.4.0" in found["engine"].fix


def test_the_clip_is_small_and_holds_what_it_says(tmp_path: Path) -> None:
    """Four seconds, a few kilobytes."""
    clip.draw(tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").stat().st_size < 100_000
    with av.open(tmp_path / "clip.mp4") as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s[-1] == pytest.approx(clip.LENGTH_S, abs=0.2)


def _read(*claims: Claim, clock: str | None = None) -> Caption:
    return Caption(Chunk(0, Span(0, 4)), "", Verdict(Severity.DANGER, claims, "", clock), None, {})


_CLAIM = Claim(Kind.COLLISION, Span(2.2, 4.0), Severity.DANGER, ("1", "2"), "13:37:44")


@pytest.mark.parametrize(
    ("caption", "wrong"),
    [
        pytest.param(_read(_CLAIM), "", id="right"),
        pytest.param(_read(replace(_CLAIM, clock=None), clock="13:37:42"), "", id="clock-of-the-first-frame"),
        pytest.param(_read(replace(_CLAIM, clock="13:37:43")), "", id="a-second-off-is-rounding"),
        pytest.param(_read(), "does not see", id="nothing-seen"),
        pytest.param(_read(replace(_CLAIM, objects=("1", "3"))), "does not see", id="other-discs"),
        pytest.param(_read(replace(_CLAIM, span=Span(1.0, 2.0))), "placed at 1.0 s", id="too-early"),
        pytest.param(_read(replace(_CLAIM, clock="13:31:44")), "read as 13:31:44", id="clock-misread"),
        pytest.param(
            _read(_CLAIM, clock="00:00:00"), "13:37:42 is read as 00:00:00", id="first-clock-misread"
        ),
        pytest.param(_read(replace(_CLAIM, clock="99:99:99")), "read as 99:99:99", id="no-time-of-day"),
        pytest.param(_read(replace(_CLAIM, clock=None)), "is not read", id="no-clock"),
        pytest.param(replace(_read(), verdict=None), "no verdict", id="no-verdict"),
    ],
)
def test_what_is_misread_is_named(caption: Caption, wrong: str) -> None:
    """The contact's time, and each clock that was read."""
    said = clip.misread(caption)
    assert wrong in said
    assert bool(said) == bool(wrong)


def test_a_service_that_is_gone_is_not_believed(configure: Configure) -> None:
    """Its last words may lie about; nothing embedded is looked for then."""
    settings = configure()
    (settings.data_dir / "run").mkdir(parents=True)
    (settings.data_dir / "run" / "via-server.port").write_text("9")
    lock.announce(settings.data_dir, "http://127.0.0.1:9")
    where = targets(settings)
    assert (where.service, where.via, where.vlm) == ("", None, None)


@pytest.fixture
def running(configure: Configure) -> Iterator[Settings]:
    """A whole embedded service on the data folder, its override told to send images."""
    settings = configure(CHUNK_CAPTION_PACKING="images")
    stack = EmbeddedStack(
        settings, media_dirs=(), webhook=None, page=False, clock=SystemClock(), say=lambda _: None
    )
    settings.data_dir.mkdir(parents=True)
    with lock.exclusive(settings.data_dir), stack:
        lock.announce(settings.data_dir, stack.service_url)
        yield settings


@pytest.mark.e2e
def test_the_embedded_parts_of_a_running_service_are_examined(running: Settings) -> None:
    """Real programs: the clip goes through via-server and override to the reference VLM, and its truth comes back."""
    found = _found(running)
    assert State.FAIL not in {finding.state for finding in found.values()}
    assert found["service"].detail.startswith("runs at http://127.0.0.1:")
    assert "the embedded one, model replay-reference" in found["via-server"].detail
    assert "2.4.0" in found["engine"].detail
    assert found["overrides"].state is State.PASS
    assert found["packing"].detail.startswith("images")
    assert found["answers"].state is State.PASS
    assert "known contact and clock came back" in found["timestamps"].detail
    via = targets(running).via
    assert via is not None
    assert ViaClient(via.url, timeout_s=5.0).model().id == "replay-reference"
