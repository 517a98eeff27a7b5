"""Which failures are asked again, after how long, and what may be said of them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunk_caption import failures
from chunk_caption.captioner import Captioner
from chunk_caption.config import read
from chunk_caption.failures import CaptionFailed
from chunk_caption.frames import Frame
from chunk_caption.request import Question
from tests.deploy import wrong_endpoints
from tests.deploy.wrong_endpoints import KEY, MODEL
from tests.vss_overrides.conftest import jpeg

NOW_S = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "Refused", False),
        (401, "Refused", False),
        (403, "Refused", False),
        (404, "Refused", False),
        (422, "Refused", False),
        (408, "Timeout", True),
        (429, "ServerError", True),
        (500, "ServerError", True),
        (501, "Refused", False),
        (503, "ServerError", True),
    ],
)
def test_statuses_are_told_apart(status: int, code: str, again: bool) -> None:  # noqa: FBT001 -- a table's column
    """What the server will say again is not asked again."""
    failure = failures.of_status(status, "words", None)
    assert (failure.code, failure.again) == (code, again)
    assert failure.message.startswith(f"the VLM answered {status}: words")


@given(st.integers(0, 500), st.floats(0, 1))
def test_pauses_grow_to_a_limit(attempt: int, chance: float) -> None:
    """Each pause lies in the upper half of its ceiling, which doubles up to twenty seconds."""
    pause_s = failures.pause_s(attempt, CaptionFailed("ServerError", ""), lambda: chance)
    ceiling = min(20.0, 0.5 * 2.0 ** min(attempt, 16))
    assert ceiling / 2 <= pause_s <= ceiling


def test_the_server_may_name_the_pause() -> None:
    """Retry-After counts for more than our own schedule."""
    assert failures.pause_s(0, CaptionFailed("ServerError", "", wait_s=7.5), lambda: 0.0) == 7.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("nan", None),
        ("soon", None),
        ("Fri, 15 Jan 2027 08:00:10 GMT", 10.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110; anything else is as good as nothing."""
    assert failures.retry_after_s(header, NOW_S) == seconds


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("bad frame data:image/jpeg;base64,/9j/4AAQSkZ here", "bad frame [data] here"),
        ("DATA:video/mp4;base64,AAAA", "[data]"),
        ("key sk-made-up-key is wrong", "key [key] is wrong"),
        ("see http://me:secret@vlm/v1", "see http://vlm/v1"),
        ("run " + "A" * 200 + " end", "run [...] end"),
        ("two\n  lines", "two lines"),
    ],
)
def test_words_of_others_are_cleaned(words: str, kept: str) -> None:
    """Neither keys nor pictures find their way into logs and answers."""
    assert failures.cleaned(words, "sk-made-up-key") == kept


def test_long_words_are_cut() -> None:
    """A server that answers with its arrays is quoted briefly."""
    assert len(failures.cleaned("no no " * 5000, "key")) == 303


@pytest.mark.parametrize(
    ("status", "words", "setting"),
    [
        (401, "Unauthorized", failures.KEY),
        (403, "", failures.KEY),
        (404, "The model `other` does not exist. Valid aliases: Qwen3-VL-8B-Instruct", failures.MODEL),
        (404, 'model "other" not found, try pulling it first', failures.MODEL),
        (404, "The API deployment for this resource does not exist", failures.MODEL),
        (400, "Invalid model name passed in model=other", failures.MODEL),
        (404, "Not Found", failures.ENDPOINT),
        (404, "", failures.ENDPOINT),
        (405, "Method Not Allowed", failures.ENDPOINT),
    ],
)
def test_a_refusal_names_the_setting_to_change(status: int, words: str, setting: str) -> None:
    """In the words of several servers; it names that one and no other."""
    message = failures.of_status(status, words, None).message
    named = {name for name in (failures.KEY, failures.MODEL, failures.ENDPOINT) if name in message}
    assert named == {setting}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Input length (12094) exceeds model's maximum context length (8192)."),
        (400, "Failed to load image: cannot identify image file"),
        (422, "no"),
        (503, "The engine is currently busy and cannot accept new requests"),
    ],
)
def test_other_refusals_blame_no_setting(status: int, words: str) -> None:
    """What was asked, or how the server is, is not a setting's fault."""
    assert "VIA_VLM" not in failures.of_status(status, words, None).message


def _chained(error: Exception) -> Exception:
    """The error as the openai library passes it on."""
    outer = RuntimeError("Connection error.")
    outer.__cause__ = OSError("inner")
    outer.__cause__.__context__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConnectionRefusedError(), "Unreachable", "nobody listens there"),
        (ConnectionResetError(), "Unreachable", "the connection to the VLM failed"),
        (socket.gaierror(-2, "Name or service not known"), "Unreachable", "host is not known"),
        (TimeoutError(), "Unreachable", "the connection to the VLM failed"),
    ],
)
def test_lost_connections_are_tried_again(error: Exception, code: str, said: str) -> None:
    """Each message says where to look."""
    failure = failures.of_connection(_chained(error))
    assert (failure.code, failure.again) == (code, True)
    assert said in failure.message
    assert failures.ENDPOINT in failure.message


class Mistake(NamedTuple):
    """What an operator set, and the one line that tells."""

    url: str
    model: str
    key: str
    code: str
    says: str


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of a strict server, the same behind TLS, and a server of web pages."""
    certificate = wrong_endpoints.certificate(tmp_path_factory.mktemp("tls"))
    with (
        wrong_endpoints.strict() as right,
        wrong_endpoints.strict(certificate) as tls,
        wrong_endpoints.web_page() as page,
    ):
        yield {"right": right, "tls": tls, "page": page, "pem": str(certificate.pem)}


MISTAKES = {
    "no-v1": Mistake("{right}", MODEL, KEY, "Refused", "VIA_VLM_ENDPOINT must be the base URL"),
    "wrong-model": Mistake(
        "{right}/v1", "other", KEY, "Refused", "(mend VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME)"
    ),
    "wrong-key": Mistake("{right}/v1", MODEL, "sk-another-key", "Refused", "(mend VIA_VLM_API_KEY)"),
    "no-key": Mistake("{right}/v1", MODEL, "", "Refused", "(mend VIA_VLM_API_KEY)"),
    "untrusted": Mistake(
        "{tls}/v1", MODEL, KEY, "Refused", "certificate is not trusted: self-signed certificate"
    ),
    "https-for-http": Mistake(
        "https{right}/v1", MODEL, KEY, "Refused", "VIA_VLM_ENDPOINT must begin with http://"
    ),
    "http-for-https": Mistake("http{tls}/v1", MODEL, KEY, "Unreachable", "see VIA_VLM_ENDPOINT"),
    "web-page": Mistake("{page}/v1", MODEL, KEY, "ServerError", "no JSON object (VIA_VLM_ENDPOINT must be"),
    "nobody": Mistake(
        "http://127.0.0.1:9/v1", MODEL, KEY, "Unreachable", "start the VLM, or mend VIA_VLM_ENDPOINT"
    ),
    "no-such-host": Mistake(
        "http://nowhere.invalid/v1", MODEL, KEY, "Unreachable", "(mend VIA_VLM_ENDPOINT)"
    ),
}


def _address(pattern: str, servers: dict[str, str]) -> str:
    scheme, brace, rest = pattern.partition("{")
    url = (brace + rest).format(**servers)
    return (
        scheme + url.removeprefix("https").removeprefix("http")
        if scheme in ("http", "https")
        else scheme + url
    )


def _answered(url: str, model: str, key: str) -> dict[str, Any]:
    environ = {
        "VIA_VLM_ENDPOINT": url,
        "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": model,
        "VIA_VLM_API_KEY": key,
        "CHUNK_CAPTION_RETRIES": "0",
    }
    captioner = Captioner(read(environ), sleep=lambda _: None)
    try:
        text, _ = captioner.answer(lambda: Question("What happened?", [Frame(jpeg(), 0.0)], 1.0, {}))
    finally:
        captioner.close()
    answer: dict[str, Any] = json.loads(text)
    return answer


@pytest.mark.parametrize("name", MISTAKES)
def test_an_operators_mistake_is_one_line_that_names_the_setting(name: str, servers: dict[str, str]) -> None:
    """What stands in each chunk that fails for it, from real servers; no key is shown."""
    mistake = MISTAKES[name]
    error = _answered(_address(mistake.url, servers), mistake.model, mistake.key)["error"]
    assert error["code"] == mistake.code
    assert mistake.says in error["message"]
    assert "\n" not in error["message"]
    assert "<" not in error["message"]
    assert KEY not in error["message"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1//", "/v1/chat/completions", "/v1/models"])
def test_harmless_spellings_of_the_address_just_work(path: str, servers: dict[str, str]) -> None:
    """A trailing slash, or the address of one route as NVIDIA's sample shows it."""
    assert _answered(servers["right"] + path, MODEL, KEY)["status"] == "safe"


def test_an_authority_of_ones_own_can_be_named(
    servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the message says: by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", servers["pem"])
    assert _answered(f"{servers['tls']}/v1", MODEL, KEY)["status"] == "safe"
