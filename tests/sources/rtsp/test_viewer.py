"""One client of a stream: numbers, time stamps, losses and the way packets take."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

import pytest

from extension.sources.rtsp import rtp
from extension.sources.rtsp.viewer import ByDatagrams, Viewer
from tests.sources.camera.hands import START_AT
from tests.sources.rtsp.depacketizer import parse_report, parse_rtp


class Kept:
    """A way that keeps what it is given."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.reports: list[bytes] = []

    def rtp(self, packets: Sequence[bytes]) -> None:
        """Keep packets of pictures."""
        self.packets += packets

    def rtcp(self, report: bytes) -> None:
        """Keep a report."""
        self.reports.append(report)

    def close(self, *, reset: bool) -> None:
        """Nothing to end."""


@pytest.fixture
def way() -> Kept:
    """Where packets go."""
    return Kept()


def viewer(way: Kept, seed: int = 1) -> Viewer:
    """A client."""
    return Viewer(way, random.Random(seed))


def test_a_picture_is_numbered_and_stamped(way: Kept) -> None:
    """One time stamp for all its packets, a mark on its last; the next picture is a frame later."""
    watching = viewer(way)
    watching.show([b"a", b"b", b"c"], 1.0, 0.0)
    watching.show([b"d"], 1.04, 0.0)
    found = [parse_rtp(packet) for packet in way.packets]
    assert [packet.payload for packet in found] == [b"a", b"b", b"c", b"d"]
    assert [packet.marker for packet in found] == [False, False, True, True]
    assert len({packet.timestamp for packet in found[:3]}) == 1
    assert (found[3].timestamp - found[0].timestamp) % 2**32 == 3600
    assert [(packet.sequence - found[0].sequence) % 2**16 for packet in found] == [0, 1, 2, 3]
    assert (watching.packets, watching.octets) == (4, 4)


def test_clients_differ(way: Kept) -> None:
    """By chance: numbers start anywhere."""
    one, other = viewer(way, 1), viewer(way, 2)
    assert one.ssrc != other.ssrc
    assert one.sequence != other.sequence
    assert one.first_ticks != other.first_ticks
    assert viewer(way, 1).ssrc == one.ssrc


def test_lost_packets_leave_holes(way: Kept) -> None:
    """Numbers go on, and what is not sent is not counted."""
    watching = viewer(way)
    for index in range(200):
        watching.show([bytes([index])], index / 25, 0.25)
    sequences = [parse_rtp(packet).sequence for packet in way.packets]
    assert 110 < len(sequences) < 190
    assert watching.packets == len(sequences)
    assert (sequences[-1] - sequences[0]) % 2**16 > 180


def test_all_packets_can_be_lost(way: Kept) -> None:
    """Nothing arrives then."""
    viewer(way).show([b"a", b"b"], 0.0, 1.0)
    assert way.packets == []


def test_a_report_has_the_time_of_its_pictures(way: Kept) -> None:
    """On the client's own scale, with what was sent so far."""
    watching = viewer(way)
    watching.show([b"abc"], 2.0, 0.0)
    watching.report(2.0, START_AT)
    report, picture = parse_report(way.reports[0]), parse_rtp(way.packets[0])
    assert report.timestamp == picture.timestamp
    assert report.ssrc == picture.ssrc
    assert report.unix_s == pytest.approx(START_AT.timestamp(), abs=1e-5)
    assert (report.packets, report.octets) == (1, 3)
    assert watching.reported_s == 2.0


def neighbours() -> tuple[socket.socket, socket.socket]:
    """Two sockets whose ports follow one another, as RTP wants them."""
    while True:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        first.bind(("127.0.0.1", 0))
        first.settimeout(5)
        second.settimeout(5)
        try:
            second.bind(("127.0.0.1", first.getsockname()[1] + 1))
        except (OSError, OverflowError):
            first.close()
            second.close()
        else:
            return first, second


def test_datagrams_go_to_both_ports() -> None:
    """Pictures to the first, reports to the second; a client that is gone is no error."""
    receivers, senders = neighbours(), neighbours()
    port = receivers[0].getsockname()[1]
    way = ByDatagrams(None, senders, ("127.0.0.1", port, port + 1))  # type: ignore[arg-type]  # its connection is only closed by it
    packet = rtp.packet(b"x", sequence=1, timestamp=2, ssrc=3, last=True)
    way.rtp([packet, packet])
    way.rtcp(b"report")
    assert [receivers[0].recv(2000) for _ in range(2)] == [packet, packet]
    assert receivers[1].recv(2000) == b"report"
    for sock in (*receivers, *senders):
        sock.close()
    way.rtp([packet])
