"""Loads the versioned prompt files beside this module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

import yaml

from extension.errors import BadInput

_OTHER_NAMES = {"replay": "simple_view"}
_FILE = re.compile(r"^(?P<name>[a-z_]+)\.v(?P<version>\d+)\.yaml$")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the VLM is told: `id` is name and version, stored with every answer."""

    id: str
    system: str
    user: str


def names() -> list[str]:
    """The prompts there are, under all their names."""
    return sorted({*(match["name"] for match in _files()), *_OTHER_NAMES})


def load(name: str) -> Prompt:
    """The newest version of a prompt.

    Raises:
        BadInput: when there is no prompt of that name.
    """
    filed = _OTHER_NAMES.get(name, name)
    versions = [match for match in _files() if match["name"] == filed]
    if not versions:
        raise BadInput(f"no prompt is called {name!r}; there are: {', '.join(names())}")
    newest = max(versions, key=lambda match: int(match["version"]))
    text = (resources.files(__name__) / newest.string).read_text("utf-8")
    page = yaml.safe_load(text)
    return Prompt(id=f"{filed}.v{page['version']}", system=page["system"].strip(), user=page["user"].strip())


def _files() -> list[re.Match[str]]:
    found = (_FILE.match(entry.name) for entry in resources.files(__name__).iterdir())
    return [match for match in found if match]
