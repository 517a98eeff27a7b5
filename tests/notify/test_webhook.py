"""One attempt meets every kind of receiver, ends in time, and tells no secrets."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from extension.clock import SystemClock
from extension.errors import DeliveryFailed
from extension.notify.receiver import SampleReceiver
from extension.notify.webhook import WebhookSender
from tests.notify import scripted
from tests.notify.scripted import SECRET, answer
from tests.store import values

_CLOCK = SystemClock()


def _failure(url: str, *, total_s: float = 5.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        WebhookSender(total_s=total_s).send(scripted.receiver(url), values.message(), _CLOCK.now())
    for secret in (SECRET, "T0PSECRET", "127.0.0.1", "pa55"):
        assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    """The message goes out once, to the letter, signed."""
    with scripted.scripted(answer(status)) as server:
        WebhookSender().send(scripted.receiver(server.url), values.message(), _CLOCK.now())
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"POST /T0PSECRET HTTP/1.1")
    assert body.decode() == values.message().body
    assert headers["content-type"] == "application/json"
    assert Webhook(SECRET).verify(body, headers)["type"] == "incident.opened"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
def test_a_refusal_is_permanent(status: int) -> None:
    """Trying again changes nothing; a Retry-After does not either."""
    with scripted.scripted(answer(status, "Retry-After: 5")) as server:
        failure = _failure(server.url)
    assert failure.permanent
    assert failure.retry_after_s is None
    assert str(status) in str(failure)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_an_overload_passes(status: int) -> None:
    """It may be tried again, when the receiver says where it does."""
    with scripted.scripted(answer(status, "Retry-After: 120"), answer(status)) as server:
        assert [(f.permanent, f.retry_after_s) for f in (_failure(server.url), _failure(server.url))] == [
            (False, 120.0),
            (False, None),
        ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    """The signed message goes nowhere else."""
    with (
        scripted.scripted(answer(200)) as elsewhere,
        scripted.scripted(answer(status, f"Location: {elsewhere.url}")) as server,
    ):
        failure = _failure(server.url)
        assert not failure.permanent
        assert "redirects are not followed" in str(failure)
        assert elsewhere.requests == []


@pytest.mark.parametrize("location", ["http://[", "//", "http://a b/", "ftp://x", "\xff"])
def test_a_redirect_to_nonsense_is_a_failure_like_others(location: str) -> None:
    """Nobody looks where it leads."""
    with scripted.scripted(answer(302, f"Location: {location}")) as server:
        assert "302" in str(_failure(server.url))


def test_nobody_there_is_temporary() -> None:
    """A closed port refuses."""
    failure = _failure(f"http://127.0.0.1:{scripted.free_port()}/T0PSECRET")
    assert not failure.permanent
    assert "ConnectionRefusedError" in str(failure)


def test_a_name_that_does_not_resolve_is_temporary() -> None:
    """Name servers come back. The name is not shown."""
    failure = _failure("http://nobody.invalid/T0PSECRET")
    assert not failure.permanent
    assert "nobody" not in str(failure)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 2", id="half-a-status"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another-protocol"),
        pytest.param(b"\x00\xff\r\n\r\n", id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n", id="too-many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", id="too-long-a-header"),
    ],
)
def test_half_an_answer_or_none_is_temporary(reply: bytes) -> None:
    """Only a whole 2xx status is success."""
    with scripted.scripted(scripted.raw(reply)) as server:
        assert not _failure(server.url).permanent


def test_what_follows_the_status_does_not_matter(caplog: pytest.LogCaptureFixture) -> None:
    """Half a head or half a body after 2xx, or one without end: accepted, and not read."""
    half_head = scripted.raw(b"HTTP/1.1 200 OK\r\nContent-Le")
    half = scripted.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    for behaviour in (
        half_head,
        half,
        scripted.flood(200),
        scripted.flood(200, "Content-Encoding: gzip"),
    ):
        with scripted.scripted(behaviour) as server:
            WebhookSender(total_s=5).send(scripted.receiver(server.url), values.message(), _CLOCK.now())
    assert "T0PSECRET" not in caplog.text


@pytest.mark.parametrize("status", [302, 500])
def test_a_failure_without_end_is_not_read(status: int) -> None:
    """It costs neither time nor memory."""
    started = time.monotonic()
    with scripted.scripted(scripted.flood(status, "Location: http://127.0.0.1:1/")) as server:
        assert str(status) in str(_failure(server.url))
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("behaviour", [scripted.hang, scripted.drip])
def test_a_slow_receiver_is_cut_off_in_time(behaviour: scripted.Behaviour) -> None:
    """One that says nothing, and one that says it byte by byte."""
    started = time.monotonic()
    with scripted.scripted(behaviour) as server:
        failure = _failure(server.url, total_s=0.5)
    assert not failure.permanent
    assert str(failure) == "no answer in time (at most 0.5 s)"
    assert 0.4 < time.monotonic() - started < 5


def test_attempts_that_run_can_be_cut_at_once() -> None:
    """A service that stops does not wait for a receiver that hangs."""
    sender, asked = WebhookSender(total_s=60), threading.Event()

    def hang(sock: object) -> None:
        asked.set()
        scripted.hang(sock)  # type: ignore[arg-type]  # the server's own socket

    with scripted.scripted(hang) as server, ThreadPoolExecutor(1) as pool:
        attempt = pool.submit(sender.send, scripted.receiver(server.url), values.message(), _CLOCK.now())
        assert asked.wait(10)
        sender.cut()
        with pytest.raises(DeliveryFailed) as caught:
            attempt.result(10)
    assert not caught.value.permanent


def test_a_receiver_without_tls_where_tls_is_named_is_temporary() -> None:
    """It may be mended; meanwhile nothing is sent in the clear."""
    clear = scripted.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with scripted.scripted(clear, reads=False) as server:
        failure = _failure(server.url.replace("http:", "https:"))
    assert not failure.permanent
    assert "TLS" in str(failure)


def test_credentials_in_the_address_are_sent_and_those_of_netrc_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the service may have passwords for the same host."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password theirs\n", "utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted.scripted(answer(200)) as server:
        for url in (server.url, server.url.replace("//", "//user:pa55@")):
            WebhookSender().send(scripted.receiver(url), values.message(), _CLOCK.now())
        without, with_credentials = server.requests
    assert b"authorization" not in without.lower()
    assert b"Authorization: Basic dXNlcjpwYTU1" in with_credentials


def test_an_attempt_is_signed_with_its_own_time() -> None:
    """A message that waited for an hour is not too old for its receiver."""
    sample = SampleReceiver(SECRET)
    sample.start()
    WebhookSender().send(scripted.receiver(sample.url), values.message(), _CLOCK.now())
    with pytest.raises(DeliveryFailed, match="401"):
        WebhookSender().send(
            scripted.receiver(sample.url), values.message("m2"), _CLOCK.now() - dt.timedelta(hours=1)
        )
    sample.stop()
    assert sample.counts == {"verified": 1, "refused": 1, "duplicates": 0}
