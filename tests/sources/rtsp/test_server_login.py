"""Passwords and encryption, seen by a raw client, by PyAV and by the ffmpeg program: clients that are not ours."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import av
import av.error
import imageio_ffmpeg
import pytest

from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials, Scheme
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile
from tests.sources.rtsp.certificates import self_signed
from tests.sources.rtsp.raw_client import RawClient, basic

PASSWORD = "p@ss/word"
KINDS = {
    "basic": Credentials("joe", PASSWORD, (Scheme.BASIC,)),
    "digest": Credentials("joe", PASSWORD, (Scheme.DIGEST,)),
    "old-digest": Credentials("joe", PASSWORD, (Scheme.DIGEST,), protected=False),
    "both": Credentials("joe", PASSWORD, (Scheme.BASIC, Scheme.DIGEST)),
}


def codec_of(url: str) -> str:
    """What PyAV finds there."""
    with av.open(url, options={"rtsp_transport": "tcp", "fpsprobesize": "3"}, timeout=(15, 10)) as watched:
        frame = next(watched.decode(watched.streams.video[0]))
        assert frame.width == 160
        return str(watched.streams.video[0].codec_context.name)


@pytest.mark.parametrize("kind", KINDS)
def test_pyav_knows_every_scheme(clip: Path, kind: str) -> None:
    """With the right password pictures come, with a wrong one and without any they do not."""
    with RtspServer({"a": LoopedFile(clip)}, credentials=KINDS[kind]) as server:
        assert codec_of(server.url("a", user="joe", password=PASSWORD)) == "h264"
        for url in (server.url("a", user="joe", password="wrong"), server.url("a")):
            with pytest.raises(av.error.HTTPUnauthorizedError):
                codec_of(url)


def test_the_ffmpeg_program_answers_a_digest(clip: Path) -> None:
    """A client of another build."""
    with RtspServer({"a": LoopedFile(clip)}, credentials=KINDS["digest"]) as server:
        url = server.url("a", user="joe", password=PASSWORD)
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-nostdin",
            "-loglevel",
            "error",
            "-rtsp_transport",
            "tcp",
        ]
        command += ["-i", url, "-frames:v", "3", "-f", "framemd5", "-"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert len([line for line in found.stdout.splitlines() if not line.startswith("#")]) == 3


def test_nothing_is_told_without_the_password(clip: Path) -> None:
    """Each connection is asked with a number of its own, each scheme on a line of its own."""
    nonces = []
    with RtspServer({"a": LoopedFile(clip)}, credentials=KINDS["both"]) as server:
        for _ in range(2):
            with RawClient(server.url("a")) as client:
                refused = client.ask("DESCRIBE")
                assert refused.status == 401
                assert not refused.body
                asked = refused.headers["www-authenticate"]
                assert asked.startswith("Digest "), "the last line"
                nonces.append(asked.partition('nonce="')[2].partition('"')[0])
    assert len(set(nonces)) == 2


def test_a_digest_camera_takes_no_password_in_the_open(clip: Path) -> None:
    """Even the right one."""
    with (
        RtspServer({"a": LoopedFile(clip)}, credentials=KINDS["digest"]) as server,
        RawClient(server.url("a")) as client,
    ):
        assert client.ask("DESCRIBE", Authorization=basic("joe", PASSWORD)).status == 401


def test_a_camera_that_lets_nobody_in_asks_for_a_password(clip: Path) -> None:
    """Though it has none."""
    with RtspServer({"a": LoopedFile(clip)}) as server:
        server.set_faults("a", Faults(deny=True))
        with RawClient(server.url("a")) as client:
            refused = client.ask("DESCRIBE")
            assert refused.status == 401
            assert "www-authenticate" in refused.headers


def test_pictures_over_tls(clip: Path, tmp_path: Path) -> None:
    """Under a certificate that the camera made itself, with and without a password."""
    context, _ = self_signed(tmp_path)
    with RtspServer({"a": LoopedFile(clip)}, credentials=KINDS["both"], tls=context) as server:
        url = server.url("a", user="joe", password=PASSWORD)
        assert url.startswith("rtsps://")
        assert codec_of(url) == "h264"
        with pytest.raises(av.error.HTTPUnauthorizedError):
            codec_of(server.url("a", user="joe", password="wrong"))


def test_what_travels_over_tls_cannot_be_read(clip: Path, tmp_path: Path) -> None:
    """Neither side speaks before it is encrypted."""
    context, certificate = self_signed(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with RtspServer({"a": LoopedFile(clip)}, tls=context) as server:
        with (
            socket.create_connection(("127.0.0.1", server.port), 10) as open_socket,
            trusting.wrap_socket(open_socket, server_hostname="127.0.0.1") as secret,
        ):
            secret.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            assert secret.recv(1000).startswith(b"RTSP/1.0 200")
        with socket.create_connection(("127.0.0.1", server.port), 10) as plain:
            plain.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            assert not plain.recv(1000).startswith(b"RTSP")
