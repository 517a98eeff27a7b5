"""Names for uploaded files."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from extension.api.filenames import safe_name


@settings(deadline=None)
@given(st.text(st.characters(), max_size=400))
def test_any_name_becomes_one_safe_component(original: str) -> None:
    """Whatever a client sends, the result is one file name that every file system takes."""
    name = safe_name(original)
    assert PurePosixPath(name).name == name
    assert 0 < len(name.encode()) <= 180
    assert not name.startswith((".", "-", " "))
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*%$`')


@settings(deadline=None)
@given(st.text(st.characters(), max_size=400))
def test_a_safe_name_stays_as_it_is(original: str) -> None:
    """Made safe twice is made safe once."""
    assert safe_name(safe_name(original)) == safe_name(original)


def test_scripts_and_suffixes_survive() -> None:
    """Composed and decomposed Hangul are one name; a long name keeps its suffix; bidi overrides do not."""
    assert safe_name("사고.mp4") == "사고.mp4"
    assert safe_name("사" * 300 + ".mp4").endswith("사.mp4")
    assert safe_name("gpj\u202e4pm.exe") == "gpj_4pm.exe"
    assert safe_name("", otherwise="video") == "video"
