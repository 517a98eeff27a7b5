"""Cameras that want a password, and cameras that encrypt: captured, or one clear error that names no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from extension.sources.camera.camera import Camera, Transport
from extension.sources.camera.reader import Patience, Reader
from extension.sources.camera.ring import Ring
from extension.sources.camera.trouble import CameraTrouble, Code
from extension.sources.rtsp.login import Credentials, Scheme
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import LoopedFile
from tests.sources.camera.plant import Capturing
from tests.sources.rtsp.certificates import self_signed
from tests.sources.rtsp.clips import until

SECRET = "s3cr3t/pass"
PATIENCE = Patience(open_s=4.0, stall_s=4.0)


def codec_of(camera: Camera) -> str | Code:
    """What a camera sends, or what is wrong with it."""
    try:
        with Reader(camera, PATIENCE) as reader:
            next(reader.packets())
            return str(reader.codec)
    except CameraTrouble as trouble:
        # The library's error has the password in its text.
        return trouble.code if trouble.__cause__ is trouble.__context__ is None else Code.MALFORMED


@pytest.mark.parametrize(
    "who",
    [
        pytest.param(Credentials("joe", SECRET, (Scheme.DIGEST,)), id="digest"),
        pytest.param(
            Credentials("joe", SECRET, (Scheme.DIGEST,), protected=False), id="digest-of-old-cameras"
        ),
        pytest.param(Credentials("joe", SECRET, (Scheme.BASIC, Scheme.DIGEST)), id="both"),
    ],
)
def test_a_camera_that_wants_a_digest(tmp_path: Path, clip: Path, who: Credentials) -> None:
    """Is captured with the right password; a wrong one is one error, and neither is anywhere to be read."""
    with RtspServer({"cam": LoopedFile(clip)}, credentials=who) as server, capture_logs() as logs:
        cameras = [
            Camera("good", server.url("cam", user="joe", password=SECRET)),
            Camera("bad", server.url("cam", user="joe", password=f"wrong{SECRET}")),
            Camera("none", server.url("cam")),
        ]
        with Capturing(cameras, Ring(tmp_path, reserve_bytes=0)) as capturing:
            capturing.wait_for("good", 2)
            until(lambda: {capturing.status(name).code for name in ("bad", "none")} == {Code.UNAUTHORIZED})
            assert capturing.status("good").reconnects == 0
            told = repr([capturing.cameras.status(), capturing.reports, logs])
    assert "s3cr3t" not in told
    assert "joe" not in told


def test_a_camera_that_encrypts(tmp_path: Path, clip: Path) -> None:
    """Is captured over TLS, by password, whatever certificate it made for itself."""
    context, _ = self_signed(tmp_path)
    who = Credentials("joe", SECRET, (Scheme.DIGEST,))
    with RtspServer({"cam": LoopedFile(clip)}, credentials=who, tls=context) as server:
        cameras = [
            Camera("good", server.url("cam", user="joe", password=SECRET), Transport.UDP),
            Camera("bad", server.url("cam", user="joe", password="wrong")),
        ]
        with Capturing(cameras, Ring(tmp_path / "ring", reserve_bytes=0)) as capturing:
            capturing.wait_for("good", 2)
            until(lambda: capturing.status("bad").code is Code.UNAUTHORIZED)
            assert capturing.status("good").address == f"rtsps://127.0.0.1:{server.port}"
            assert capturing.status("good").reconnects == 0


def test_which_certificates_are_believed(tmp_path: Path, clip: Path) -> None:
    """Any, unless one is named: then that one for that address and no other."""
    (tmp_path / "other").mkdir()
    (tmp_path / "moved").mkdir()
    context, certificate = self_signed(tmp_path)
    _, other = self_signed(tmp_path / "other")
    moved_context, moved = self_signed(tmp_path / "moved", "10.1.2.3")
    streams = {"cam": LoopedFile(clip)}
    with RtspServer(streams, tls=context) as server, RtspServer(streams, tls=moved_context) as elsewhere:
        url, strange = server.url("cam"), elsewhere.url("cam")
        assert codec_of(Camera("a", url)) == "h264"
        assert codec_of(Camera("a", strange)) == "h264"
        assert codec_of(Camera("a", url, certificate=certificate)) == "h264"
        assert codec_of(Camera("a", url, certificate=other)) is Code.NOT_ENCRYPTED
        assert codec_of(Camera("a", strange, certificate=moved)) is Code.NOT_ENCRYPTED


def test_encryption_on_one_side_only(tmp_path: Path, clip: Path) -> None:
    """Each way round has its own error; a host that does not answer is unreachable as ever."""
    context, _ = self_signed(tmp_path)
    streams = {"cam": LoopedFile(clip)}
    with RtspServer(streams) as plain, RtspServer(streams, tls=context) as secret:
        assert codec_of(Camera("a", plain.url("cam").replace("rtsp:", "rtsps:"))) is Code.NOT_ENCRYPTED
        assert codec_of(Camera("a", secret.url("cam").replace("rtsps:", "rtsp:"))) is Code.PROTOCOL
        gone = f"rtsps://127.0.0.1:{plain.port}/cam"
    assert codec_of(Camera("a", gone)) is Code.UNREACHABLE


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
def test_a_host_that_nobody_knows(scheme: str) -> None:
    """Is not reachable (the domain .invalid never exists, RFC 2606)."""
    assert codec_of(Camera("a", f"{scheme}://joe:{SECRET[:6]}@nobody.invalid/live")) is Code.UNREACHABLE


def test_a_scheme_in_capital_letters(clip: Path) -> None:
    """Is the same scheme."""
    with RtspServer({"cam": LoopedFile(clip)}) as server:
        assert codec_of(Camera("a", server.url("cam").replace("rtsp:", "RTSP:"))) == "h264"
