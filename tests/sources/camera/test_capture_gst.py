"""Capture from a server that is not ours: GStreamer's, where the system has it."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from extension.sources.camera.camera import Camera, Transport
from extension.sources.camera.ring import Ring
from extension.sources.camera.trouble import Code
from extension.sources.rtsp.streams import LoopedFile
from extension.sources.rtsp.units import joined
from tests.sources.camera.plant import Capturing
from tests.sources.rtsp.certificates import self_signed
from tests.sources.rtsp.clips import FRAMES, bar_places, frames_in, until

PYTHON = Path("/usr/bin/python3")
"""The system's own: the bindings are in no virtual environment."""

DELIMITER = b"\x09\xf0"
BINDINGS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
for name in ("appsrc", "h264parse", "rtph264pay"):
    assert Gst.ElementFactory.find(name), name
"""
SERVER = (
    BINDINGS
    + """
import sys

START, FPS = b"\\x00\\x00\\x00\\x01\\x09", 25
UNITS = [START + part for part in open(sys.argv[1], "rb").read().split(START)[1:]]
PIPELINE = ("( appsrc name=src is-live=true format=time caps=video/x-h264,stream-format=byte-stream,alignment=au,"
            "framerate=25/1 ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )")

class Factory(GstRtspServer.RTSPMediaFactory):
    def do_create_element(self, url):
        return Gst.parse_launch(PIPELINE)

    def do_configure(self, media):
        source, sent = media.get_element().get_by_name_recurse_up("src"), [0]

        def need(wanted, length):
            buffer = Gst.Buffer.new_wrapped(UNITS[sent[0] % len(UNITS)])
            buffer.duration = Gst.SECOND // FPS
            buffer.pts = buffer.dts = sent[0] * buffer.duration
            sent[0] += 1
            wanted.emit("push-buffer", buffer)

        source.set_property("max-bytes", 20000)
        source.connect("need-data", need)

auth = GstRtspServer.RTSPAuth()
if len(sys.argv) > 2:
    gi.require_version("GstRtsp", "1.0")
    from gi.repository import Gio, GstRtsp
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "watcher")
    auth.add_digest("joe", sys.argv[2], token)
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(sys.argv[3], sys.argv[4]))
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
if len(sys.argv) > 2:
    server.set_auth(auth)
factory = Factory()
if len(sys.argv) > 2:
    rights = GstRtspServer.RTSPPermissions.new()
    for right in ("media.factory.access", "media.factory.construct"):
        rights.add_permission_for_role("watcher", right, True)
    factory.set_permissions(rights)
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
)


def works(program: str) -> bool:
    """Whether the system's Python runs a program."""
    if not PYTHON.exists():
        return False
    return (
        subprocess.run([PYTHON, "-c", program], capture_output=True, check=False, timeout=60).returncode == 0
    )


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """The clip as GStreamer's server wants it."""
    if not works(BINDINGS):
        pytest.skip("the system has no GStreamer RTSP server")
    path = tmp_path_factory.mktemp("gst") / "clip.h264"
    units = [unit for _, unit in zip(range(FRAMES), LoopedFile(clip).units(), strict=False)]
    path.write_bytes(b"".join(joined((DELIMITER, *unit.nals)) for unit in units))
    return path


@contextmanager
def serving(stream: Path, *guarded: str) -> Iterator[str]:
    """GStreamer's server with the clip in a loop: its port."""
    command = [str(PYTHON), "-c", SERVER, str(stream), *guarded]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address(stream: Path) -> Iterator[str]:
    """An open one."""
    with serving(stream) as port:
        yield f"rtsp://127.0.0.1:{port}/cam"


@pytest.mark.parametrize("transport", list(Transport))
def test_another_server_is_captured_too(address: str, tmp_path: Path, transport: Transport) -> None:
    """Segments follow one another without a frame missing, and play."""
    camera = Camera("gst", address, transport)
    with Capturing([camera], Ring(tmp_path, reserve_bytes=0)) as capturing:
        capturing.wait_for("gst", 3)
        segments = capturing.of("gst")[:3]
    places = [place for segment in segments for place in bar_places(segment.path)]
    assert {(b - a) % FRAMES for a, b in itertools.pairwise(places)} == {1}
    assert all(one.end_at == other.start_at for one, other in itertools.pairwise(segments))
    assert all(frames_in(segment.path) for segment in segments)


def test_another_server_that_encrypts_and_wants_a_digest(stream: Path, tmp_path: Path) -> None:
    """Is captured over TLS with the right password, and with its certificate named; a wrong password is one clear error."""
    _, certificate = self_signed(tmp_path)
    with serving(stream, "s3cr3t", str(certificate), str(tmp_path / "key.pem")) as port:
        cameras = [
            Camera("good", f"rtsps://joe:s3cr3t@127.0.0.1:{port}/cam"),
            Camera("sure", f"rtsps://joe:s3cr3t@127.0.0.1:{port}/cam", certificate=certificate),
            Camera("bad", f"rtsps://joe:wrong@127.0.0.1:{port}/cam"),
        ]
        with Capturing(cameras, Ring(tmp_path / "ring", reserve_bytes=0)) as capturing:
            for name in ("good", "sure"):
                capturing.wait_for(name, 2)
                assert frames_in(capturing.of(name)[0].path)
            until(lambda: capturing.status("bad").code is Code.UNAUTHORIZED)
