"""Reads a map from objids to the labels drawn on them: YAML, JSON, or CSV with the columns `objid,label`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from extension.errors import BadInput

_LONGEST_LABEL: Final = 32
_MOST_BYTES: Final = 4 * 1024**2
_CSV_COLUMNS: Final = ("objid", "label")


def read_labels(path: Path) -> dict[str, str]:
    """Read a map of labels; the suffix says what the file is (`.csv`, `.json`, else YAML).

    Raises:
        BadInput: The file cannot be read as such a map, or gives one label to two objects; the message says which.
    """
    try:
        return checked_labels(_pairs(_text(path), path.suffix.lower()))
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be read ({exc.strerror or 'unknown reason'})") from exc
    except UnicodeDecodeError as exc:
        raise BadInput(f"{path.name}: not UTF-8 text") from exc
    except BadInput as exc:
        raise BadInput(f"{path.name}: {exc}") from exc


def checked_labels(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Pairs of objid and label as a map.

    Raises:
        BadInput: An objid is there twice, a label is empty, too long or given twice.
    """
    labels: dict[str, str] = {}
    owners: dict[str, str] = {}
    for raw_objid, raw_label in pairs:
        objid, label = _word(raw_objid, "an objid"), _word(raw_label, f"the label of {raw_objid!r}")
        if objid in labels:
            raise BadInput(f"the objid {objid!r} is there twice")
        if label in owners:
            raise BadInput(f"the label {label!r} is given to both {owners[label]!r} and {objid!r}")
        labels[objid], owners[label] = label, objid
    return labels


def label_doubts(labels: Mapping[str, str], objids: Iterable[str]) -> tuple[str, ...]:
    """Sentences about objects that the map names and the log does not have, and the other way round."""
    known = set(objids)
    found = []
    if strangers := sorted(set(labels) - known):
        found.append(f"the map of labels names {_listed(strangers)}, which the log does not have")
    if labels and (unnamed := sorted(known - set(labels))):
        found.append(
            f"the map of labels does not name {_listed(unnamed)}; they keep the numbers of their ids"
        )
    return tuple(found)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise BadInput("too large for a map of labels")
    return data.decode("utf-8-sig")


def _pairs(text: str, suffix: str) -> list[tuple[Any, Any]]:
    if suffix == ".csv":
        return _csv_pairs(text)
    try:
        content = json.loads(text, object_pairs_hook=list) if suffix == ".json" else _yaml_pairs(text)
    except json.JSONDecodeError as exc:
        raise BadInput(f"line {exc.lineno}: not JSON ({exc.msg})") from exc
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise BadInput(f"{where}not YAML") from exc
    if not isinstance(content, list) or not all(isinstance(pair, tuple) for pair in content):
        raise BadInput("it must be a map from objid to label")
    return content


def _yaml_pairs(text: str) -> list[tuple[Any, Any]] | None:
    # Composed, not loaded: a loaded map would forget that a key was there twice.
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return None
    return [(key.value, value.value) for key, value in node.value]


def _csv_pairs(text: str) -> list[tuple[Any, Any]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as exc:
        raise BadInput(f"line {reader.line_num}: not CSV ({exc})") from exc
    names = [name.strip().lower() for name in rows[0]] if rows else []
    if missing := [name for name in _CSV_COLUMNS if name not in names]:
        raise BadInput(f"line 1: missing columns {', '.join(missing)}")
    places = [names.index(name) for name in _CSV_COLUMNS]
    if any(len(row) != len(names) for row in rows):
        raise BadInput("a row has more or fewer fields than the header")
    return [(row[places[0]], row[places[1]]) for row in rows[1:]]


def _word(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"{what} must be text or a whole number")
    word = str(value).strip()
    if not word or len(word) > _LONGEST_LABEL * (4 if what == "an objid" else 1) or not word.isprintable():
        raise BadInput(f"{what} is {word[:40]!r}: it must be 1 to {_LONGEST_LABEL} printable letters")
    return word


def _listed(names: list[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
