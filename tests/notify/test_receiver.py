"""The sample receiver believes only what is signed and hears everything once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from extension.clock import SystemClock
from extension.notify import signing
from extension.notify.receiver import SampleReceiver
from tests.notify.scripted import OTHER_SECRET, SECRET

_CLOCK = SystemClock()


@pytest.fixture
def sample() -> Iterator[SampleReceiver]:
    """A running receiver that keeps two messages."""
    sample = SampleReceiver(SECRET, keep=2)
    sample.start()
    yield sample
    sample.stop()


def _post(sample: SampleReceiver, message_id: str, body: str = '{"n": 1}', secret: str = SECRET) -> int:
    headers = signing.headers(message_id, body, [secret], _CLOCK.now())
    return requests.post(sample.url, data=body.encode(), headers=headers, timeout=5).status_code


def test_a_signed_message_is_kept(sample: SampleReceiver) -> None:
    """With its id."""
    assert _post(sample, "m1") == 200
    assert sample.received == [{"id": "m1", "n": 1}]
    assert sample.counts == {"verified": 1, "refused": 0, "duplicates": 0}


def test_a_message_that_comes_again_is_accepted_and_kept_once(sample: SampleReceiver) -> None:
    """So that the sender can strike it off."""
    assert [_post(sample, "m1") for _ in range(3)] == [200, 200, 200]
    assert len(sample.received) == 1
    assert sample.counts == {"verified": 1, "refused": 0, "duplicates": 2}


def test_only_the_newest_are_kept(sample: SampleReceiver) -> None:
    """All are counted, and an old one is still known."""
    for message_id in ("m1", "m2", "m3", "m1"):
        _post(sample, message_id)
    assert [message["id"] for message in sample.received] == ["m2", "m3"]
    assert sample.counts["duplicates"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="unsigned"),
        pytest.param({"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}, id="old"),
        pytest.param(
            {"webhook-id": "m", "webhook-timestamp": "now", "webhook-signature": "v1,AA=="}, id="no-time"
        ),
    ],
)
def test_what_is_not_signed_is_refused(sample: SampleReceiver, headers: dict[str, str]) -> None:
    """With 401, and counted."""
    assert requests.post(sample.url, data=b"{}", headers=headers, timeout=5).status_code == 401
    assert sample.counts["refused"] == 1
    assert sample.received == []


@pytest.mark.parametrize("signature", ["nonsense", "v1,%%%", "v1,AA==", "v2,AA==", "a,b,c", ""])
def test_a_broken_signature_is_refused(sample: SampleReceiver, signature: str) -> None:
    """Whatever it looks like, the receiver lives on."""
    headers = signing.headers("m1", "{}", [SECRET], _CLOCK.now()) | {"webhook-signature": signature}
    assert requests.post(sample.url, data=b"{}", headers=headers, timeout=5).status_code == 401
    assert _post(sample, "m1") == 200


def test_another_secret_or_body_is_refused(sample: SampleReceiver) -> None:
    """A forger has neither."""
    assert _post(sample, "m1", secret=OTHER_SECRET) == 401
    headers = signing.headers("m1", "{}", [SECRET], _CLOCK.now())
    for body in (b'{"more": 1}', b"\xff\xfe"):
        assert requests.post(sample.url, data=body, headers=headers, timeout=5).status_code == 401
    assert sample.received == []


def test_a_body_that_is_not_an_object_is_kept_as_data(sample: SampleReceiver) -> None:
    """Signed is signed."""
    assert _post(sample, "m1", "[1, 2]") == 200
    assert sample.received == [{"id": "m1", "data": [1, 2]}]


def test_too_much_or_an_unknown_amount_is_refused(sample: SampleReceiver) -> None:
    """Before it is read."""
    chunks = iter([b"{}"])
    assert requests.post(sample.url, data=chunks, timeout=5).status_code == 411
    big = {"content-length": "1000001"}
    prepared = requests.Request("POST", sample.url, data=b"x").prepare()
    prepared.headers.update(big)
    with requests.Session() as session:
        assert session.send(prepared, timeout=5).status_code == 413


def test_it_can_be_stopped_before_it_was_started() -> None:
    """The port is closed all the same."""
    SampleReceiver(SECRET).stop()
