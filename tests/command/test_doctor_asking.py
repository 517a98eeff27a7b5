"""Asking one address: what is sent, what is made of trouble, and what may be shown of it."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from extension.clock import SystemClock
from extension.command.doctor.asking import Asked, NoAnswer, skew_s
from extension.command.doctor.targets import targets
from extension.settings import load
from extension.stack.embedded import EmbeddedStack

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@contextmanager
def served(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that always answers so; its address, and the headers of each request."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _asked(url: str, key: str = "") -> Asked:
    return Asked(url, "VIA_BACKEND", "the via-server", key)


def test_the_key_is_sent_and_never_shown() -> None:
    """As a bearer token; without a key, no header at all."""
    with served(200, b"{}") as (url, seen):
        assert _asked(url, "sk-made-up").page("/x", 2.0) == {}
        assert _asked(url).page("/x", 2.0) == {}
    assert seen[0]["authorization"] == "Bearer sk-made-up"
    assert "authorization" not in seen[1]


def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of proxies."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with served(200, b"[1]") as (url, _):
        assert _asked(url).page("/x", 2.0) == [1]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"{}", "answers /x with 500"),
        (302, b"{}", "answers /x with 302"),
        (200, b"<html>", "no JSON"),
        (200, b"", "no JSON"),
    ],
)
def test_answers_that_are_no_page_are_told(status: int, body: bytes, said: str) -> None:
    """With the setting; a redirection is not followed."""
    with served(status, body, location="http://127.0.0.1:9/") as (url, _), pytest.raises(NoAnswer) as caught:
        _asked(url).page("/x", 2.0)
    assert said in caught.value.detail
    assert caught.value.fix == "mend VIA_BACKEND"


@pytest.mark.parametrize("key", ["schlüssel-ключ", "two\nlines"])
def test_a_key_that_cannot_be_sent_is_told(key: str) -> None:
    """Before it leaves the machine, without showing it."""
    with served(200, b"{}") as (url, seen), pytest.raises(NoAnswer) as caught:
        _asked(url, key).page("/x", 2.0)
    assert seen == []
    assert key not in caught.value.detail + caught.value.fix


def test_an_embedded_program_is_mended_by_its_log() -> None:
    """There is no setting that could be wrong."""
    with pytest.raises(NoAnswer) as caught:
        Asked("http://127.0.0.1:9", "run/via-server.log", "the via-server").page("/models", 1.0)
    assert caught.value.fix == "start the via-server, or see run/via-server.log"


def test_a_chain_of_errors_may_bite_its_tail() -> None:
    """Libraries wrap errors in many ways; each is looked at once."""
    inner = ssl.SSLError("bad")
    outer = requests.ConnectionError(inner)
    inner.__context__ = outer
    assert "TLS" in _asked("https://127.0.0.1:9")._why(outer).detail


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:59:00 GMT", -60.0),
        ("yesterday", None),
        (None, None),
        ("Sat, 21 Nov 2026 12:00:30", None),
    ],
)
def test_the_other_clock_is_read_where_it_is_told(date: str | None, skew: float | None) -> None:
    """A date without a zone, or none at all, tells nothing."""
    response = requests.Response()
    response.headers.update({"date": date} if date else {})
    assert skew_s(response, NOW) == skew


def test_ports_of_embedded_programs_must_be_numbers(tmp_path: Path) -> None:
    """A file that is half written names nothing."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "via-server.port").write_text("")
    with served(200, b"") as (url, _):
        (tmp_path / "service.json").write_text(json.dumps({"url": url}))
        where = targets(load(None, data_dir=tmp_path))
    assert (where.service, where.via) == (url, None)


def test_the_embedded_via_server_is_told_the_overrides_knobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that stand in the file of settings alone; knobs of Compose stay out."""
    env = tmp_path / ".env"
    env.write_text("CHUNK_CAPTION_RETRIES=7\nVIA_SERVER_BIND=0.0.0.0\n")
    monkeypatch.delenv("CHUNK_CAPTION_RETRIES", raising=False)
    settings = load(env, data_dir=tmp_path)
    stack = EmbeddedStack(
        settings, media_dirs=(), webhook=None, page=False, clock=SystemClock(), say=lambda _: None
    )
    told = stack._via_server("http://127.0.0.1:1/v1").env
    assert told["CHUNK_CAPTION_RETRIES"] == "7"
    assert "VIA_SERVER_BIND" not in told
