"""Who may watch: what the two schemes ask, and which answers pass."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.rtsp.login import Credentials, Scheme

WATCHER = Credentials("joe", "p:a ss@")
OLD = Credentials("joe", "p:a ss@", protected=False)
URL = "rtsp://10.0.0.7:554/live"
NONCE = "0123456789abcdef"


def md5(text: str) -> str:
    """As 32 hexadecimal digits."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def token(text: str) -> str:
    """Base64."""
    return b64encode(text.encode()).decode()


def digest(method: str = "DESCRIBE", *, counted: bool = True, **changes: str) -> str:
    """A header's value as a client makes it that knows the password, with some fields changed afterwards."""
    password = changes.pop("password", "p:a ss@")
    fields = {"username": "joe", "realm": "camera", "nonce": NONCE, "uri": URL}
    secret = md5(f"joe:camera:{password}")
    counter = {"qop": "auth", "nc": "00000001", "cnonce": "f00d"} if counted else {}
    between = ":".join([NONCE, *((counter["nc"], counter["cnonce"], "auth") if counted else ())])
    fields["response"] = md5(f"{secret}:{between}:{md5(f'{method}:{URL}')}")
    fields |= counter | changes
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        pytest.param(f"Basic {token('joe:p:a ss@')}", True, id="basic"),
        pytest.param(f"basic {token('joe:p:a ss@')}", True, id="in-small-letters"),
        pytest.param(f"Basic {token('joe:wrong')}", False, id="wrong-password"),
        pytest.param(f"Basic {token('jim:p:a ss@')}", False, id="wrong-user"),
        pytest.param(token("joe:p:a ss@"), False, id="no-scheme"),
        pytest.param("Basic not base64!", False, id="no-base64"),
        pytest.param("Basic é", False, id="no-ascii"),
        pytest.param("Basic", False, id="nothing-behind"),
        pytest.param("", False, id="nothing"),
        pytest.param(f"Digest {token('joe:p:a ss@')}", False, id="digest-without-fields"),
        pytest.param(f"Bearer {token('joe:p:a ss@')}", False, id="another-scheme"),
        pytest.param(digest(), True, id="digest"),
        pytest.param(digest().replace('nc="00000001"', "nc=00000001"), True, id="unquoted"),
        pytest.param(digest(password="wrong"), False, id="digest-wrong-password"),
        pytest.param(digest("PLAY"), False, id="made-for-another-method"),
        pytest.param(digest(uri="rtsp://10.0.0.7:554/other"), False, id="made-for-another-address"),
        pytest.param(digest(nonce="another"), False, id="made-for-another-connection"),
        pytest.param(digest(username="jim"), False, id="another-user"),
        pytest.param(digest(realm="plant"), False, id="another-realm"),
        pytest.param(digest(counted=False), False, id="uncounted-where-it-must-count"),
        pytest.param(digest(nc="00000002"), False, id="counted-otherwise"),
        pytest.param(digest(response=""), False, id="no-proof"),
        pytest.param(digest(response="é"), False, id="a-proof-that-is-no-hash"),
    ],
)
def test_who_may_watch(header: str, *, admitted: bool) -> None:
    """Exactly this user with exactly this password, for exactly this request."""
    assert WATCHER.admit(header, "DESCRIBE", URL, NONCE) is admitted


def test_old_cameras_do_not_count() -> None:
    """RFC 2069: the same without count and client nonce, and only that."""
    assert OLD.admit(digest(counted=False), "DESCRIBE", URL, NONCE)
    assert not OLD.admit(digest(), "DESCRIBE", URL, NONCE)


def test_the_example_of_the_standard() -> None:
    """RFC 2617, section 3.5: the very hash, by our own reading of the formula."""
    secret, request = md5("Mufasa:testrealm@host.com:Circle Of Life"), md5("GET:/dir/index.html")
    found = md5(
        f"{secret}:dcd98b7102dd2f0e8b11d0f600bfb0c093:00000001:0a4f113b:auth:{request}",
    )
    assert found == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("schemes", "protected", "offers"),
    [
        ((Scheme.BASIC,), True, ['Basic realm="camera"']),
        (
            (Scheme.DIGEST,),
            True,
            [f'Digest realm="camera", nonce="{NONCE}", algorithm=MD5, qop="auth"'],
        ),
        (
            (Scheme.DIGEST, Scheme.BASIC),
            False,
            [f'Digest realm="camera", nonce="{NONCE}", algorithm=MD5', 'Basic realm="camera"'],
        ),
    ],
)
def test_what_is_offered(schemes: tuple[Scheme, ...], *, protected: bool, offers: list[str]) -> None:
    """Each scheme in its own words, in the order given."""
    assert list(Credentials("joe", "x", schemes, protected).challenges(NONCE)) == offers


@pytest.mark.parametrize(
    ("scheme", "header"), [(Scheme.DIGEST, f"Basic {token('joe:p:a ss@')}"), (Scheme.BASIC, digest())]
)
def test_a_scheme_that_was_not_offered_is_refused(scheme: Scheme, header: str) -> None:
    """A server that hides passwords does not take them in the open."""
    only = Credentials("joe", "p:a ss@", (scheme,))
    assert not only.admit(header, "DESCRIBE", URL, NONCE)


@given(st.text(max_size=80))
def test_no_header_breaks_it(text: str) -> None:
    """Whatever stands there: no entry, no error."""
    assert not WATCHER.admit(text, "DESCRIBE", URL, NONCE)
    assert not WATCHER.admit(f"Digest {text}", "DESCRIBE", URL, NONCE)
    assert not WATCHER.admit(f"Basic {text}", "DESCRIBE", URL, NONCE)


def test_a_password_is_not_shown() -> None:
    """Not by accident in a log."""
    assert "p:a ss@" not in repr(WATCHER)
    assert "p:a ss@" not in f"{WATCHER}"
    assert not any("ss@" in offer for offer in WATCHER.challenges(NONCE))
