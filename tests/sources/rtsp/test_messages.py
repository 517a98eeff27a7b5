"""RTSP requests, transports and answers as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.rtsp.messages import (
    REASONS,
    Transport,
    parse_request,
    parse_transport,
    response,
)


def test_a_request_is_read() -> None:
    """Method, address and headers, whose names may be written in any way."""
    found = parse_request("DESCRIBE rtsp://h:1/cam0 RTSP/1.0\r\nCSeq: 2\r\nACCEPT: application/sdp\r\n\r\n")
    assert found is not None
    assert (found.method, found.url) == ("DESCRIBE", "rtsp://h:1/cam0")
    assert found.headers == {"cseq": "2", "accept": "application/sdp"}


@pytest.mark.parametrize("text", ["", "hello", "GET / HTTP/1.1\r\n\r\n", "PLAY rtsp://x", "A B C D RTSP/1.0"])
def test_what_is_no_request(text: str) -> None:
    """Other protocols and noise."""
    assert parse_request(text) is None


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """A request or none."""
    found = parse_request(text)
    assert found is None or found.method is not None


@pytest.mark.parametrize(
    ("url", "stream"),
    [
        ("rtsp://h/cam0", "cam0"),
        ("rtsp://h:8554/cam0/", "cam0"),
        ("rtsp://h/cam0/trackID=0", "cam0"),
        ("rtsp://u:p@h/cam0/trackID=0", "cam0"),
        ("rtsp://h/cam10", "cam10"),
        ("rtsp://h/plant/north/1", "plant/north/1"),
        ("rtsp://h/%EB%AC%B8", "문"),
        ("rtsp://h", ""),
        ("*", "*"),
    ],
)
def test_the_stream_of_an_address(url: str, stream: str) -> None:
    """Its whole path, less the track."""
    found = parse_request(f"SETUP {url} RTSP/1.0\r\n\r\n")
    assert found is not None
    assert found.stream == stream


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", Transport(tcp=True, rtp=0, rtcp=1)),
        ("RTP/AVP/TCP;unicast;interleaved=4-5;mode=play", Transport(tcp=True, rtp=4, rtcp=5)),
        ("RTP/AVP/TCP;unicast", Transport(tcp=True, rtp=0, rtcp=1)),
        ("RTP/AVP;unicast;client_port=5000-5001", Transport(tcp=False, rtp=5000, rtcp=5001)),
        ("RTP/AVP/UDP;unicast;client_port=5000", Transport(tcp=False, rtp=5000, rtcp=5001)),
        ("RTP/AVP;multicast,RTP/AVP/TCP;interleaved=2-3", Transport(tcp=True, rtp=2, rtcp=3)),
        ("RTP/AVP;multicast;client_port=1-2", None),
        ("RTP/AVP;unicast", None),
        ("RAW/RAW/UDP;unicast;client_port=1-2", None),
        ("", None),
    ],
)
def test_transports(header: str, wanted: Transport | None) -> None:
    """The first offer that can be served."""
    assert parse_transport(header) == wanted


def test_an_answer_without_a_body() -> None:
    """Status, sequence and headers."""
    assert response(200, "3", {"Session": "abc"}) == b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: abc\r\n\r\n"


def test_an_answers_length_is_in_bytes() -> None:
    """Whatever letters its body has."""
    found = response(200, "1", {}, "문")
    assert b"Content-Length: 3\r\n" in found
    assert found.endswith("\r\n\r\n문".encode())


@pytest.mark.parametrize("status", sorted(REASONS))
def test_every_status_has_its_words(status: int) -> None:
    """On the first line."""
    assert response(status, "1").startswith(f"RTSP/1.0 {status} {REASONS[status]}\r\n".encode())


def test_a_header_with_several_values() -> None:
    """Is on several lines: clients do not part one."""
    found = response(401, "1", {"WWW-Authenticate": ("Digest a", "Basic b")})
    assert b"WWW-Authenticate: Digest a\r\nWWW-Authenticate: Basic b\r\n" in found
