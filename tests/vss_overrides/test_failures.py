"""Which failures are asked again, after how long, and what may be said of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunk_caption import failures
from chunk_caption.failures import CaptionFailed

NOW_S = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "Refused", False),
        (401, "Refused", False),
        (403, "Refused", False),
        (404, "Refused", False),
        (422, "Refused", False),
        (408, "Timeout", True),
        (429, "ServerError", True),
        (500, "ServerError", True),
        (501, "ServerError", True),
        (503, "ServerError", True),
    ],
)
def test_statuses_are_told_apart(status: int, code: str, again: bool) -> None:  # noqa: FBT001 -- a table's column
    """What the server will say again is not asked again."""
    failure = failures.of_status(status, "words", None)
    assert (failure.code, failure.again) == (code, again)
    assert failure.message == f"the VLM answered {status}: words"


@given(st.integers(0, 500), st.floats(0, 1))
def test_pauses_grow_to_a_limit(attempt: int, chance: float) -> None:
    """Each pause lies in the upper half of its ceiling, which doubles up to twenty seconds."""
    pause_s = failures.pause_s(attempt, CaptionFailed("ServerError", ""), lambda: chance)
    ceiling = min(20.0, 0.5 * 2.0 ** min(attempt, 16))
    assert ceiling / 2 <= pause_s <= ceiling


def test_the_server_may_name_the_pause() -> None:
    """Retry-After counts for more than our own schedule."""
    assert failures.pause_s(0, CaptionFailed("ServerError", "", wait_s=7.5), lambda: 0.0) == 7.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("nan", None),
        ("soon", None),
        ("Fri, 15 Jan 2027 08:00:10 GMT", 10.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110; anything else is as good as nothing."""
    assert failures.retry_after_s(header, NOW_S) == seconds


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("bad frame data:image/jpeg;base64,/9j/4AAQSkZ here", "bad frame [data] here"),
        ("DATA:video/mp4;base64,AAAA", "[data]"),
        ("key sk-made-up-key is wrong", "key [key] is wrong"),
        ("see http://me:secret@vlm/v1", "see http://vlm/v1"),
        ("run " + "A" * 200 + " end", "run [...] end"),
        ("two\n  lines", "two lines"),
    ],
)
def test_words_of_others_are_cleaned(words: str, kept: str) -> None:
    """Neither keys nor pictures find their way into logs and answers."""
    assert failures.cleaned(words, "sk-made-up-key") == kept


def test_long_words_are_cut() -> None:
    """A server that answers with its arrays is quoted briefly."""
    assert len(failures.cleaned("no no " * 5000, "key")) == 303
