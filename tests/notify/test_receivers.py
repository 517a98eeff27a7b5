"""Receivers are read strictly, and their secrets never show."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from extension.errors import BadSettings
from extension.model import Severity
from extension.notify import receivers
from extension.notify.receivers import Receiver
from tests.notify.scripted import OTHER_SECRET, SECRET


def _file(folder: Path, text: str) -> Path:
    path = folder / "receivers.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_names_its_receivers(tmp_path: Path) -> None:
    """All keys, with secrets in place, in a list, and in a file beside it."""
    (tmp_path / "hook.secret").write_text(f"{SECRET}\n{OTHER_SECRET}\n", "utf-8")
    path = _file(
        tmp_path,
        f"""
receivers:
  - {{name: ops, url: "https://ops.example/hook?token=t", secret: "{SECRET}"}}
  - name: night-shift
    url: http://127.0.0.1:9/x
    secret: ["{SECRET}", "{OTHER_SECRET}"]
    types: [incident.opened]
    min_severity: danger
  - {{name: c, url: http://c.example, secret_file: hook.secret}}
""",
    )
    assert receivers.load(path) == (
        Receiver("ops", "https://ops.example/hook?token=t", (SECRET,)),
        Receiver(
            "night-shift",
            "http://127.0.0.1:9/x",
            (SECRET, OTHER_SECRET),
            frozenset({"incident.opened"}),
            Severity.DANGER,
        ),
        Receiver("c", "http://c.example", (SECRET, OTHER_SECRET)),
    )


@pytest.mark.parametrize("text", ["", "receivers: []", "# nobody yet"])
def test_a_file_may_name_nobody(tmp_path: Path, text: str) -> None:
    """That is no mistake."""
    assert receivers.load(_file(tmp_path, text)) == ()


_GOOD = f'name: ops, url: "https://ops.example", secret: "{SECRET}"'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("receivers: [{", "not YAML at line 1", id="not-yaml"),
        pytest.param("receivers: {a: b}", "receivers: ", id="not-a-list"),
        pytest.param("- a", "valid", id="not-a-mapping"),
        pytest.param("receiver: []", "receiver: Extra", id="misspelt-key"),
        pytest.param(
            f"receivers: [{{{_GOOD}, colour: red}}]", r"receivers\[0\]\.colour: Extra", id="unknown-key"
        ),
        pytest.param(
            'receivers: [{name: ops, url: "https://a"}]', r"\[0\]: needs either secret", id="no-secret"
        ),
        pytest.param(f"receivers: [{{{_GOOD}, secret_file: x}}]", "needs either secret", id="two-secrets"),
        pytest.param(
            f"receivers: [{{{_GOOD}, types: [incident.closed]}}]",
            r"types: must be some of",
            id="unknown-type",
        ),
        pytest.param(f"receivers: [{{{_GOOD}, types: []}}]", r"types: must be some of", id="no-type"),
        pytest.param(f"receivers: [{{{_GOOD}, min_severity: bad}}]", "min_severity: ", id="unknown-severity"),
        pytest.param(f"receivers: [{{{_GOOD}}}, {{{_GOOD}}}]", "name: ops is taken twice", id="name-taken"),
        pytest.param(
            f'receivers: [{{name: a.b, url: "http://a", secret: "{SECRET}"}}]',
            r"\[0\]\.name: ",
            id="dot-in-name",
        ),
        pytest.param(
            "receivers: [{name: ops, url: 'http://a', secret_file: gone}]",
            "secret_file gone cannot be read",
            id="secret-file-gone",
        ),
    ],
)
def test_a_file_with_a_mistake_names_the_key(tmp_path: Path, text: str, words: str) -> None:
    """And the file by its name."""
    with pytest.raises(BadSettings, match=words) as caught:
        receivers.load(_file(tmp_path, text))
    assert SECRET not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "ops.example",
        "http://",
        "https://[",
        "http://a b",
        "http://a:99999",
        "http://a:0",
        "javascript:x",
        "",
    ],
)
def test_an_address_must_be_http_with_a_host(url: str) -> None:
    """Anything else names the key."""
    with pytest.raises(BadSettings, match="ops: url: must be an http"):
        receivers.webhook("ops", url, SECRET)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hunter2-hunter2-hunter2-hunter2",
        "whsec_",
        "whsec_!!!!",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        SECRET.removeprefix("whsec_"),
    ],
)
def test_a_weak_secret_is_refused_and_not_shown(secret: str) -> None:
    """Its form is said instead."""
    with pytest.raises(BadSettings, match=r"needs either secret|24 to 64 random bytes") as caught:
        receivers.webhook("ops", "https://a.example", secret)
    assert len(secret) < 8 or secret not in str(caught.value)


@pytest.mark.parametrize("size", [24, 25, 32, 64])
def test_a_secret_of_enough_bytes_is_taken(size: int) -> None:
    """With or without the padding of base64."""
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    assert receivers.webhook("ops", "https://a", secret).secrets == (secret,)
    assert receivers.webhook("ops", "https://a", secret.rstrip("=")).secrets == (secret.rstrip("="),)


@pytest.mark.parametrize("content", ["", "not a secret", f"{SECRET}\nwhsec_short"])
def test_a_secret_file_is_checked_too(tmp_path: Path, content: str) -> None:
    """Every line of it, and none is shown."""
    (tmp_path / "s").write_text(content, "utf-8")
    path = _file(tmp_path, "receivers: [{name: ops, url: 'http://a', secret_file: s}]")
    with pytest.raises(BadSettings, match="receiver ops: secret_file s: each line") as caught:
        receivers.load(path)
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """Missing, or not text."""
    with pytest.raises(BadSettings, match=r"gone\.yaml cannot be read"):
        receivers.load(tmp_path / "gone.yaml")
    path = tmp_path / "receivers.yaml"
    path.write_bytes(b"receivers: \xff\xfe")
    with pytest.raises(BadSettings, match="not UTF-8"):
        receivers.load(path)


def test_a_broken_line_with_a_secret_is_not_quoted(tmp_path: Path) -> None:
    """The parser's own words would show it."""
    with pytest.raises(BadSettings) as caught:
        receivers.load(_file(tmp_path, f'receivers:\n  - secret: "{SECRET}" oops: [\n'))
    assert SECRET not in str(caught.value)


def test_names_are_unlike() -> None:
    """Across settings and file."""
    first, second = (receivers.webhook("ops", f"https://{host}.example", SECRET) for host in "ab")
    with pytest.raises(BadSettings, match="two receivers are called 'ops'"):
        receivers.unique([first, second])
    assert receivers.unique([first]) == (first,)


def test_a_receiver_shows_neither_secret_nor_path() -> None:
    """Its repr may land in a log."""
    receiver = Receiver("ops", "https://user:pa55@hooks.example:8443/T0PSECRET?t=1", (SECRET, OTHER_SECRET))
    assert repr(receiver) == "Receiver(name='ops', url='https://hooks.example:8443', secrets=(***, ***))"


@pytest.mark.parametrize(
    ("types", "least", "message_type", "severity", "wants"),
    [
        (None, None, "incident.updated", Severity.SAFE, True),
        (frozenset({"incident.opened"}), None, "incident.opened", Severity.WARN, True),
        (frozenset({"incident.opened"}), None, "incident.resolved", Severity.EXTREME, False),
        (None, Severity.DANGER, "incident.opened", Severity.WARN, False),
        (None, Severity.DANGER, "incident.opened", Severity.DANGER, True),
        (None, Severity.DANGER, "incident.opened", Severity.EXTREME, True),
    ],
)
def test_a_receiver_hears_what_it_wants(
    types: frozenset[str] | None,
    least: Severity | None,
    message_type: str,
    severity: Severity,
    *,
    wants: bool,
) -> None:
    """Type and severity both decide."""
    assert Receiver("ops", "https://a", (SECRET,), types, least).wants(message_type, severity) is wants
