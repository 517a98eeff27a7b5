"""What the doctor says of a VLM: an operator's mistakes by the setting to change, and how the server takes videos and schemas."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from extension.clock import SystemClock
from extension.command.doctor import Finding, State, examine, vlm
from extension.command.doctor.asking import Asked
from extension.command.doctor.targets import Targets
from extension.command.doctor.vlm import WORD, VlmSeen, address_is_the_containers_own
from extension.settings import Settings, load
from tests.deploy import wrong_endpoints
from tests.deploy.wrong_endpoints import KEY, MODEL
from tests.vss_overrides.vlm_double import Reply, VlmDouble

HONOURED = Reply(text=f'{{"code": "{WORD}"}}')
Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Settings for a VLM, and nothing else."""

    def made(url: str, model: str, key: str, **more: str) -> Settings:
        monkeypatch.setenv("VIA_VLM_ENDPOINT", url)
        monkeypatch.setenv("VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME", model)
        monkeypatch.setenv("VIA_VLM_API_KEY", key)
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        return load(None, data_dir=tmp_path / "data", port=0)

    return made


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of a strict server, the same behind TLS, and a server of web pages, without scheme."""
    certificate = wrong_endpoints.certificate(tmp_path_factory.mktemp("tls"))
    with (
        wrong_endpoints.strict() as right,
        wrong_endpoints.strict(certificate) as tls,
        wrong_endpoints.web_page() as page,
    ):
        named = {"right": right, "tls": tls, "page": page}
        yield {name: url.partition("://")[2] for name, url in named.items()} | {"pem": str(certificate.pem)}


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings, SystemClock())}


class Mistake(NamedTuple):
    """What an operator set, what the doctor finds and what it says to do."""

    url: str
    model: str
    key: str
    detail: str
    fix: str


MISTAKES = {
    "no-v1": Mistake("http://{right}", MODEL, KEY, "lacks its last part", "append /v1 to VIA_VLM_ENDPOINT"),
    "wrong-path": Mistake(
        "http://{right}/v2", MODEL, KEY, "is no OpenAI-compatible server", "mend VIA_VLM_ENDPOINT"
    ),
    "wrong-model": Mistake(
        "http://{right}/v1",
        "other",
        KEY,
        f"offers {MODEL}, not other",
        "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME",
    ),
    "wrong-key": Mistake("http://{right}/v1", MODEL, "sk-other", "refuses the key (401)", "VIA_VLM_API_KEY"),
    "no-key": Mistake("http://{right}/v1", MODEL, "", "wants a key (401)", "VIA_VLM_API_KEY"),
    "untrusted": Mistake(
        "https://{tls}/v1", MODEL, KEY, "certificate is not trusted: self-signed", "mend VIA_VLM_ENDPOINT, or"
    ),
    "https-for-http": Mistake(
        "https://{right}/v1", MODEL, KEY, "TLS", "VIA_VLM_ENDPOINT may have to begin with http://"
    ),
    "http-for-https": Mistake(
        "http://{tls}/v1", MODEL, KEY, "broke", "VIA_VLM_ENDPOINT may have to begin with https://"
    ),
    "web-page": Mistake(
        "http://{page}/v1", MODEL, KEY, "is no OpenAI-compatible server", "mend VIA_VLM_ENDPOINT"
    ),
    "nobody": Mistake(
        "http://127.0.0.1:9/v1", MODEL, KEY, "nobody listens", "start the VLM, or mend VIA_VLM_ENDPOINT"
    ),
    "no-such-host": Mistake(
        "http://nowhere.invalid/v1", MODEL, KEY, "nowhere.invalid is not known", "VIA_VLM_ENDPOINT"
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_an_operators_mistake_names_the_setting(
    name: str, configure: Configure, servers: dict[str, str]
) -> None:
    """One line each, from real servers; nothing is said of what could not be looked at."""
    mistake = MISTAKES[name]
    found = _found(configure(mistake.url.format(**servers), mistake.model, mistake.key))
    assert found["vlm"].state is State.FAIL
    assert mistake.detail in found["vlm"].detail
    assert mistake.fix in found["vlm"].fix
    assert "\n" not in found["vlm"].detail + found["vlm"].fix
    assert not {"context", "packing", "answers", "timestamps"} & set(found)
    assert KEY not in str(found)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/chat/completions"])
def test_harmless_spellings_pass(path: str, configure: Configure, servers: dict[str, str]) -> None:
    """They work, so there is nothing to mend."""
    found = _found(configure(f"http://{servers['right']}{path}", MODEL, KEY))
    assert found["vlm"] == Finding("vlm", State.PASS, f"offers {MODEL}")


def test_what_the_override_trusts_is_trusted_here(
    configure: Configure, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority of one's own, named by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", servers["pem"])
    assert _found(configure(f"https://{servers['tls']}/v1", MODEL, KEY))["vlm"].state is State.PASS


def _of(double: VlmDouble, configure: Configure, **more: str) -> dict[str, Finding]:
    values = double.environment
    return _found(configure(*values.values(), **more))


def test_a_server_that_takes_frame_times_is_verified_by_its_tokens(configure: Configure) -> None:
    """The times that the model is shown are read back and are true."""
    with VlmDouble(max_model_len=8192) as double:
        double.reading.options = True
        double.default = HONOURED
        found = _of(double, configure)
    assert found["timestamps"].state is State.PASS
    assert "read back from the VLM's own tokens" in found["timestamps"].detail
    assert found["packing"] == Finding(
        "packing", State.PASS, "video_jpeg: one video per chunk, every frame kept"
    )
    assert found["answers"].state is State.PASS
    assert "a word that no model says by itself" in found["answers"].detail
    assert found["context"].detail == "8192 tokens, answer included"


def test_a_server_with_a_clock_of_its_own_is_told_apart(configure: Configure) -> None:
    """Per-request options are refused; its marks are converted by the override."""
    with VlmDouble() as double:
        found = _of(double, configure)
    assert "a clock of its own" in found["timestamps"].detail
    assert found["packing"].detail.startswith("video_jpeg")


def test_a_server_that_leaves_frames_out_is_told(configure: Configure) -> None:
    """Beyond 32 frames, as vLLM does without its flag."""
    with VlmDouble() as double:
        double.reading.most_frames = 32
        found = _of(double, configure)
    assert found["packing"].state is State.WARN
    assert "up to 32 frames" in found["packing"].detail
    assert "docs/deployment.md" in found["packing"].fix


@pytest.mark.parametrize("ignores", [False, True])
def test_a_server_that_reads_no_frame_lists_gets_images(configure: Configure, *, ignores: bool) -> None:
    """Whether it says no or passes the video over."""
    with VlmDouble() as double:
        double.reading.video_jpeg, double.reading.ignores_video = ignores, ignores
        found = _of(double, configure)
    assert found["packing"].detail.startswith("images, or mp4")
    assert found["timestamps"].state is State.WARN
    assert "not verified" in found["timestamps"].detail


def test_a_server_without_token_ids_shows_no_times(configure: Configure) -> None:
    """It takes the video; what the model sees of its times nobody can tell."""
    with VlmDouble() as double:
        double.reading.token_ids = False
        found = _of(double, configure)
    assert found["packing"].detail.startswith("video_jpeg")
    assert "not verified" in found["timestamps"].detail


def test_a_forced_packing_is_what_will_be_used(configure: Configure) -> None:
    """Whatever the server would take."""
    with VlmDouble() as double:
        found = _of(double, configure, CHUNK_CAPTION_PACKING="images")
    assert found["packing"].detail == "images, forced by CHUNK_CAPTION_PACKING"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(Reply(text="yes"), "ignores it", id="prose"),
        pytest.param(Reply(text='{"answer": "yes"}'), "ignores it", id="other-json"),
        pytest.param(Reply(text=None), "ignores it", id="no-text"),
        pytest.param(Reply(status=400, error="Grammar error"), "refuses a schema", id="refused"),
        pytest.param(Reply(text="\n" * 64, finish_reason="length"), "white space without end", id="endless"),
    ],
)
def test_schemas_that_are_not_followed_are_told(configure: Configure, reply: Reply, said: str) -> None:
    """Answers are then read tolerantly: a warning with what to do, no failure."""
    with VlmDouble() as double:
        double.default = reply
        found = _of(double, configure)
    assert found["answers"].state is State.WARN
    assert said in found["answers"].detail
    assert found["answers"].fix


def test_the_question_with_a_schema_is_small_and_asks_for_something_else(configure: Configure) -> None:
    """No model would answer the word by itself: the text asks for another."""
    with VlmDouble() as double:
        _of(double, configure)
        (asked,) = double.requests
    assert WORD not in str(asked.body["messages"])
    assert WORD in str(asked.body["response_format"])
    assert asked.body["max_tokens"] <= 64
    assert asked.body["temperature"] == 0


def test_a_small_context_is_told(configure: Configure) -> None:
    """Frames would be left out to fit."""
    with VlmDouble(max_model_len=2048) as double:
        assert _of(double, configure)["context"].state is State.WARN


def test_the_reference_program_is_named(configure: Configure) -> None:
    """By its owner; it is not asked what it cannot do."""
    with VlmDouble(owned_by="timetravel") as double:
        found = _of(double, configure)
        assert (double.requests, double.probes) == ([], [])
    assert found["vlm"].state is State.WARN
    assert "no language model" in found["vlm"].detail


@pytest.mark.parametrize("models", [b"[]", b'{"data": {}}', b'{"data": [1]}', b'{"data": []}', b"", 500, 302])
def test_a_list_of_models_of_no_shape_is_no_server_of_ours(configure: Configure, models: bytes | int) -> None:
    """Whatever stands there; the doctor does not break over it."""
    with VlmDouble() as double:
        double.models = models
        assert _of(double, configure)["vlm"].state is State.FAIL


def test_the_probes_picture_can_be_read() -> None:
    """A grey square of 64 pixels."""
    picture = cv2.imdecode(np.frombuffer(vlm.grey(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (64, 64, 3)
    assert io.BytesIO(vlm.grey()).read(2) == b"\xff\xd8"


def _targets(url: str, own_loopback: int | None) -> Targets:
    return Targets(vlm=Asked(url, "VIA_VLM_ENDPOINT", "the VLM"), own_loopback=own_loopback)


def test_the_line_for_containers_keeps_port_and_path() -> None:
    """So that it can be copied as it stands."""
    line = address_is_the_containers_own(_targets("http://127.0.0.1:38011/v1", 38011))
    assert line == "VIA_SERVER_VLM_ENDPOINT=http://host.docker.internal:38011/v1"
    assert address_is_the_containers_own(_targets("http://vlm:38011/v1", None)) == ""


def test_a_silent_vlm_is_seen_as_slow() -> None:
    """Nothing is concluded from silence."""
    seen: Any = VlmSeen()
    assert (seen.video.taken, seen.schema, seen.video.true, seen.video.cut) == (None, "", False, False)
