"""Names for uploaded files: readable, in any script, and safe on every file system. Pure."""

from __future__ import annotations

import re
import unicodedata

# File systems allow 255 bytes; tools that add a suffix of their own need room.
_MOST_BYTES = 180
_MOST_SUFFIX_BYTES = 16
_UNWELCOME = re.compile(r'[<>:"|?*%$`\x00-\x1f]')


def safe_name(original: str, otherwise: str = "file") -> str:
    """The last part of a client's file name without anything that a path, shell or terminal could take wrongly.

    Never empty, never longer than 180 bytes of UTF-8, never starting with a dot or a dash.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", original))[-1]
    cleaned = "".join("_" if _odd(letter) else letter for letter in last)
    trimmed = cleaned.strip(" .").lstrip("-. ")
    return _shortened(trimmed) or otherwise


def _odd(letter: str) -> bool:
    # Not printable: control, format (bidi overrides), surrogate, private, and every space but the plain one.
    return not letter.isprintable() or _UNWELCOME.match(letter) is not None


def _shortened(name: str) -> str:
    if len(name.encode()) <= _MOST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix.encode()) > _MOST_SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    room = _MOST_BYTES - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + dot + suffix
