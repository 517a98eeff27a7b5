"""The file that names the cameras: everything wrong in it is said at once, and never an address or a password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.errors import BadSettings
from extension.model import Brief
from extension.sources.camera.book_file import Entry, load
from extension.sources.camera.camera import MOST_NAME, Transport, admit

URL = "rtsp://admin:geheim@10.0.0.7:554/stream?token=geheim2"


def book(folder: Path, *cameras: dict[str, Any], **more: Any) -> Path:
    """A file of these cameras."""
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": list(cameras), **more}, allow_unicode=True), encoding="utf-8")
    return path


def refused(path: Path) -> str:
    """What is complained of; never a secret."""
    with pytest.raises(BadSettings) as told:
        load(path)
    text = str(told.value)
    assert text.startswith("EXT_CAMERAS_FILE: ")
    assert "geheim" not in text
    assert str(path.parent) not in text
    return text


def test_what_is_not_said_is_as_usual(tmp_path: Path) -> None:
    """Ten seconds every five, by TCP, for the camera prompt."""
    (entry,) = load(book(tmp_path, {"name": "gate", "url": URL}))
    assert (entry.transport, entry.window_s, entry.stride_s) == (Transport.TCP, 10.0, 5.0)
    assert (entry.prompt, entry.merge_gap_s, entry.url_file) == ("camera", 10.0, None)
    assert (entry.language, entry.context_answers, entry.brief()) == ("en", 2, Brief())


def test_cameras_keep_their_order_and_options(tmp_path: Path) -> None:
    """Each its own."""
    entries = load(
        book(
            tmp_path,
            {
                "name": "마당",
                "url": URL,
                "transport": "udp",
                "window_s": 20,
                "stride_s": 20,
                "merge_gap_s": 0,
            },
            {"name": "gate", "url": URL, "prompt": "replay"},
        )
    )
    assert [entry.name for entry in entries] == ["마당", "gate"]
    assert (entries[0].transport, entries[0].window_s, entries[0].merge_gap_s) == (Transport.UDP, 20.0, 0.0)
    assert entries[1].prompt == "replay"


@pytest.mark.parametrize(
    ("word", "gate"), [("on", "on"), ("off", "off"), ("shadow", "shadow"), ("'on'", "on"), ("yes", "on")]
)
def test_the_gate_is_on_or_off_as_people_write_it(tmp_path: Path, word: str, gate: str) -> None:
    """YAML takes a bare `on` for a yes."""
    path = tmp_path / "cameras.yaml"
    path.write_text(f"cameras: [{{name: gate, url: 'rtsp://10.0.0.7/', gate: {word}, forced_look_s: 30}}]")
    (entry,) = load(path)
    assert (entry.gate, entry.forced_look_s, entry.motion_notices) == (gate, 30.0, False)


def test_without_a_word_there_is_no_gate(tmp_path: Path) -> None:
    """And what is no word for it is refused."""
    (entry,) = load(book(tmp_path, {"name": "gate", "url": URL}))
    assert (entry.gate, entry.forced_look_s) == ("off", 60.0)
    assert "cameras.0.gate" in refused(book(tmp_path, {"name": "gate", "url": URL, "gate": "maybe"}))
    assert "cameras.0.forced_look_s" in refused(book(tmp_path, {"name": "g", "url": URL, "forced_look_s": 0}))


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "cameras: []\n", "{}"])
def test_a_file_may_name_no_camera(tmp_path: Path, text: str) -> None:
    """That is no fault."""
    path = tmp_path / "cameras.yaml"
    path.write_text(text)
    assert load(path) == []


@pytest.mark.parametrize(
    ("camera", "complaint"),
    [
        pytest.param({"url": URL}, "cameras.0.name: Field required", id="no-name"),
        pytest.param(
            {"name": "", "url": URL}, "cameras.0.name: String should have at least 1", id="empty-name"
        ),
        pytest.param({"name": "x" * (MOST_NAME + 1), "url": URL}, "at most 64 characters", id="long-name"),
        pytest.param({"name": "g"}, "cameras.0: needs either url or url_file", id="no-address"),
        pytest.param(
            {"name": "g", "url": URL, "url_file": "u"}, "needs either url or url_file", id="two-addresses"
        ),
        pytest.param(
            {"name": "g", "url": URL, "window_s": 0}, "cameras.0.window_s: Input should be", id="no-window"
        ),
        pytest.param(
            {"name": "g", "url": URL, "window_s": 601}, "less than or equal to 600", id="long-window"
        ),
        pytest.param(
            {"name": "g", "url": URL, "stride_s": 11}, "stride_s is longer than window_s", id="a-gap"
        ),
        pytest.param({"name": "g", "url": URL, "stride_s": "often"}, "cameras.0.stride_s: ", id="no-number"),
        pytest.param({"name": "g", "url": URL, "transport": "smoke"}, "'tcp' or 'udp'", id="no-transport"),
        pytest.param(
            {"name": "g", "url": URL, "prompt": "../etc"}, "cameras.0.prompt: ", id="a-path-for-a-prompt"
        ),
        pytest.param(
            {"name": "g", "url": URL, "merge_gap_s": -1}, "cameras.0.merge_gap_s: ", id="negative-gap"
        ),
        pytest.param(
            {"name": "g", "url": URL, "windows_s": 9}, "cameras.0.windows_s: Extra inputs", id="misspelt"
        ),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, camera: dict[str, Any], complaint: str) -> None:
    """And without what was written there."""
    assert complaint in refused(book(tmp_path, camera))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """So that they are mended in one go."""
    said = refused(
        book(
            tmp_path,
            {"name": "a", "url": URL, "window_s": -1},
            {"name": "b", "url": URL, "nonsense": URL},
            {"url": URL},
        )
    )
    for place in ("cameras.0.window_s", "cameras.1.nonsense", "cameras.2.name"):
        assert place in said


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"cameras: [\n", "cameras.yaml is not YAML", id="cut-off"),
        pytest.param(b"cameras: '\xff'", "cameras.yaml is not YAML", id="no-text"),
        pytest.param(b"!!python/object/apply:os.system ['true']", "is not YAML", id="a-python-object"),
        pytest.param(b"- name: gate\n", "cameras.yaml: ", id="a-list"),
        pytest.param(b"cameras: gate\n", "cameras.yaml: cameras: Input should be a valid list", id="a-word"),
        pytest.param(b"camera: []\n", "cameras.yaml: camera: Extra inputs", id="misspelt"),
    ],
)
def test_what_is_no_book_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    """By the file's name alone."""
    path = tmp_path / "cameras.yaml"
    path.write_bytes(content)
    assert complaint in refused(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the reason, without its folder."""
    assert "cameras.yaml cannot be read (No such file or directory)" in refused(tmp_path / "cameras.yaml")
    assert "cannot be read (Is a directory)" in refused(tmp_path)


def test_there_is_a_most_of_cameras(tmp_path: Path) -> None:
    """A thousand, then no more."""
    path = tmp_path / "cameras.yaml"
    one = "- {name: g, url: 'rtsp://h/'}\n"
    path.write_text("cameras:\n" + one * 1001)
    assert "at most 1000 items" in refused(path)


def test_an_address_may_lie_in_a_file_beside(tmp_path: Path) -> None:
    """Relative to the book; blanks around it do not count."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "gate").write_text(f"  {URL}\n")
    (entry,) = load(book(tmp_path, {"name": "gate", "url_file": "secrets/gate"}))
    camera = entry.camera(tmp_path)
    assert (camera.url, camera.address) == (URL, "rtsp://10.0.0.7:554")
    assert "geheim" not in repr(camera)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_address_file_that_cannot_be_read_is_named_by_its_camera(
    tmp_path: Path, content: bytes | None
) -> None:
    """Its path is nobody's business."""
    if content is not None:
        (tmp_path / "url").write_bytes(content)
    (entry,) = load(book(tmp_path, {"name": "gate", "url_file": "url"}))
    with pytest.raises(
        BadSettings, match="EXT_CAMERAS_FILE: camera 'gate': its url_file cannot be read"
    ) as told:
        entry.camera(tmp_path)
    assert str(tmp_path) not in str(told.value)


def test_two_of_one_name_are_sorted_out_where_they_are_captured(tmp_path: Path) -> None:
    """The book takes both; the first is admitted."""
    entries = load(book(tmp_path, {"name": "gate", "url": URL}, {"name": "gate", "url": "rtsp://other/"}))
    admitted, turned_away = admit([entry.camera(tmp_path) for entry in entries])
    assert [camera.url for camera in admitted] == [URL]
    assert [one.camera for one in turned_away] == ["gate"]


@pytest.mark.parametrize("url", ["http://h/", "rtsp://", "rtsp://a b/", "rtsp://h:99999/", "rtsp://[h/"])
def test_an_address_that_cannot_be_captured_is_no_fault_of_the_book(tmp_path: Path, url: str) -> None:
    """The other cameras run; this one is turned away with what to mend."""
    entries = load(book(tmp_path, {"name": "a", "url": url}, {"name": "b", "url": URL}))
    admitted, turned_away = admit([entry.camera(tmp_path) for entry in entries])
    assert [camera.name for camera in admitted] == ["b"]
    assert "address" in turned_away[0].message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window_s=st.floats(1, 600), stride_s=st.floats(1, 600), gap_s=st.floats(0, 3600))
def test_no_second_lies_between_two_windows(
    tmp_path: Path, window_s: float, stride_s: float, gap_s: float
) -> None:
    """Every stride that is accepted is covered by its window."""
    path = book(
        tmp_path, {"name": "g", "url": URL, "window_s": window_s, "stride_s": stride_s, "merge_gap_s": gap_s}
    )
    if stride_s > window_s:
        assert "stride_s is longer" in refused(path)
    else:
        (entry,) = load(path)
        assert entry.stride_s <= entry.window_s
        assert entry == Entry(name="g", url=URL, window_s=window_s, stride_s=stride_s, merge_gap_s=gap_s)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("geheim:/[]{}", max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cameras", "name", "url", "url_file", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk)
def test_any_yaml_is_a_book_or_refused(tmp_path: Path, page: Any) -> None:
    """Never another error."""
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump(page, allow_unicode=True), encoding="utf-8")
    said = "EXT_CAMERAS_FILE: "
    try:
        entries = load(path)
    except BadSettings as exc:
        said, entries = str(exc), []
    assert said.startswith("EXT_CAMERAS_FILE: ")
    assert all(entry.name for entry in entries)
