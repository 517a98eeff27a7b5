"""Which cameras can be captured, and that their passwords stay where they are."""

from __future__ import annotations

import unicodedata

import pytest

from extension.sources.camera.camera import Camera, Transport, admit
from extension.sources.camera.trouble import LASTING, MESSAGES, CameraTrouble, Code

SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.0.0.1/live",
        "rtsp://10.0.0.1:8554/live?channel=1",
        "rtsps://camera.plant.example/1",
        "RTSP://10.0.0.1/live",
        "rtsp://[fe80::1]:554/a",
        "rtsp://joe:p%40ss@10.0.0.1/live",
    ],
)
def test_addresses_that_can_be_captured(url: str) -> None:
    """Both schemes, names and numbers."""
    admitted, refused = admit([Camera("gate", url)])
    assert [camera.url for camera in admitted] == [url]
    assert not refused


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.1/live",
        "http://10.0.0.1/live",
        "file:///etc/passwd",
        "rtsp://",
        "rtsp:///live",
        "rtsp://host:port/live",
        "rtsp://host:99999/live",
        "rtsp://[fe80/live",
        "rtsp://a b/live",
        "rtsp://host/li ve",
        "rtsp://host/\nlive",
        "rtsp://joe:hun#ter@10.0.0.1/live",
        "rtsp://joe:12#34@10.0.0.1/live",
        "rtsp://10.0.0.1/live#1",
        "rtsp://joe:12/34@10.0.0.1/live",
        "rtsp://joe:12?34@10.0.0.1/live",
        "rtsp://joe:hun/ter@10.0.0.1/live",
    ],
)
def test_addresses_that_cannot(url: str) -> None:
    """One refusal, which does not repeat the address."""
    admitted, refused = admit([Camera("gate", url)])
    assert not admitted
    assert [(refusal.camera, refusal.code) for refusal in refused] == [("gate", Code.BAD_URL)]
    assert len(url) <= len("rtsp://") or url not in refused[0].message


@pytest.mark.parametrize("where", ["#", "/", "?"])
def test_a_password_that_breaks_its_address(where: str) -> None:
    """Is refused in words that say how to write it, and no part of it is shown, though it looks like a port."""
    camera = Camera("gate", f"rtsp://joe:12{where}34@10.0.0.1/live")
    _, (refused,) = admit([camera])
    assert "%23 for #, %2F for /, %3F for ?" in refused.message
    assert "joe" not in camera.address
    assert "12" not in camera.address


def test_an_at_in_the_path_is_no_password() -> None:
    """Where the host looks like one; its address is not shown all the same."""
    camera = Camera("gate", "rtsp://10.0.0.1:8554/user@1/live")
    assert admit([camera]) == ((camera,), ())
    assert camera.address == "rtsp://..."
    assert admit([Camera("a", "rtsp://nvr.plant.example/joe@1")])[1] == ()


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 65, "a\nb", "a\x00b", "a/b", "/", ".", "..", " gate", "gate ", "🏭" * 64]
)
def test_names_that_cannot_be(name: str) -> None:
    """Empty, too long, with signs that cannot be shown, or that cannot stand in an address of the API."""
    admitted, refused = admit([Camera(name, "rtsp://h/1")])
    assert not admitted
    assert [refusal.code for refusal in refused] == [Code.BAD_NAME]


@pytest.mark.parametrize(
    "name", ["cam1", "정문 카메라", "제" * 64, "a\\b", "...", "x" * 64, "50% #1?", "🏭" * 9]
)
def test_names_that_can(name: str) -> None:
    """Any letters; folders are made of them safely."""
    assert [camera.name for camera in admit([Camera(name, "rtsp://h/1")])[0]] == [name]


def test_two_cameras_with_one_name() -> None:
    """The first is captured, the second is refused, the third is not harmed; cam1 is not cam10."""
    cameras = [Camera("cam1", "rtsp://a/"), Camera("cam1", "rtsp://b/"), Camera("cam10", "rtsp://c/")]
    admitted, refused = admit(cameras)
    assert admitted == (cameras[0], cameras[2])
    assert [(refusal.camera, refusal.code) for refusal in refused] == [("cam1", Code.DUPLICATE_NAME)]


def test_names_that_look_alike_are_one_name() -> None:
    """Korean can be written as whole syllables or as their letters one by one."""
    whole, parted = (unicodedata.normalize(form, "정문") for form in ("NFC", "NFD"))
    assert whole != parted
    admitted, refused = admit([Camera(whole, "rtsp://a/"), Camera(parted, "rtsp://b/")])
    assert [camera.url for camera in admitted] == ["rtsp://a/"]
    assert [refusal.code for refusal in refused] == [Code.DUPLICATE_NAME]


def test_capital_letters_count() -> None:
    """Gate and gate are two cameras."""
    assert len(admit([Camera("gate", "rtsp://a/"), Camera("Gate", "rtsp://a/")])[0]) == 2


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"rtsp://joe:{SECRET}@10.0.0.1:554/live", "rtsp://10.0.0.1:554"),
        (f"rtsp://10.0.0.1/user=joe&password={SECRET}", "rtsp://10.0.0.1"),
        (f"rtsp://10.0.0.1/live?pwd={SECRET}", "rtsp://10.0.0.1"),
        (f"rtsp://joe:{SECRET}@10.0.0.1:x/", "an address that cannot be read"),
    ],
)
def test_what_is_shown_of_an_address(url: str, address: str) -> None:
    """Scheme, host and port; passwords may stand anywhere else."""
    camera = Camera("gate", url, Transport.UDP)
    assert camera.address == address
    assert SECRET not in repr(camera)
    assert SECRET not in str(camera)
    assert "gate" in repr(camera)


@pytest.mark.parametrize(
    "code", [code for code in Code if code not in {Code.BAD_NAME, Code.BAD_URL, Code.DUPLICATE_NAME}]
)
def test_every_trouble_has_a_sentence(code: Code) -> None:
    """Without an address, and an error carries it."""
    trouble = CameraTrouble(code)
    assert trouble.code is code
    assert str(trouble) == MESSAGES[code]
    assert "://" not in MESSAGES[code]
    assert MESSAGES[code][0].islower()


def test_what_lasts_is_what_somebody_must_mend() -> None:
    """A wrong password is; a dropped connection is not."""
    assert Code.UNAUTHORIZED in LASTING
    assert not LASTING & {Code.DISCONNECTED, Code.STALLED, Code.UNREACHABLE, Code.DISK_FULL}
