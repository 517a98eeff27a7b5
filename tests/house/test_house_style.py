"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("extension", "via_server", "vlm_server", "vss_overrides", "scripts")
MOST_LINES = 300
SOURCES = sorted(path for folder in PROGRAMS for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# Words that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|pragma: no cover|type: ignore(?!\[)"
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_fits_in_a_readers_head(path: Path) -> None:
    """At most 300 lines, a name that says something, one sentence on top."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert path.stem not in EMPTY_NAMES
    assert ast.get_docstring(ast.parse(text)), "says its job in its first line"


@pytest.mark.parametrize("path", [p for p in (*SOURCES, *TESTS) if p != Path(__file__)], ids=_name)
def test_nothing_is_left_unfinished(path: Path) -> None:
    """No note to finish later, no blanket silence for a checker."""
    assert not UNFINISHED.search(path.read_text("utf-8"))


def _handlers(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            kind = node.type.id if isinstance(node.type, ast.Name) else "" if node.type else "everything"
            yield f"{_name(path)}:{node.lineno}", kind


def test_one_broad_except_in_the_whole_service() -> None:
    """Only the supervisor catches everything; the override must not raise into the engine and says so where it does."""
    broad = [
        where
        for path in SOURCES
        for where, kind in _handlers(path)
        if kind in {"Exception", "BaseException", "everything"}
    ]
    assert [where.split(":")[0] for where in broad] == ["extension/supervisor.py"]


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_every_test_says_what_holds(path: Path) -> None:
    """A docstring per test."""
    silent = [
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_there_are_at_least_as_many_lines_of_tests_as_of_source() -> None:
    """Counted as they stand."""
    lines = [sum(len(p.read_text("utf-8").splitlines()) for p in paths) for paths in (TESTS, SOURCES)]
    assert lines[0] >= lines[1]


@pytest.mark.parametrize("path", sorted((ROOT / "vss_overrides").rglob("*.py")), ids=_name)
def test_the_override_needs_only_what_the_engines_container_has(path: Path) -> None:
    """The standard library, openai and numpy, and its own package."""
    allowed = {"openai", "numpy", "chunk_caption"} | sys.stdlib_module_names
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    assert found <= allowed


def test_lock_files_name_no_address() -> None:
    """Hashes for everything, hosts for nothing."""
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text("utf-8")
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_no_file_names_a_path_of_a_machine() -> None:
    """Nothing that only one machine has."""
    pattern = re.compile(r"/(?:home|root|Users)/[a-z]")
    for path in (*SOURCES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        assert not pattern.search(path.read_text("utf-8")), _name(path)
