"""Loads the versioned prompt files beside this module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import yaml

from extension.errors import BadInput

_OTHER_NAMES = {"replay": "simple_view"}
_CAMERAS: Final = {"en": "camera", "ko": "camera_ko"}
_SECOND: Final = frozenset({"second_look", "second_look_ko"})
_FILE = re.compile(r"^(?P<name>[a-z_]+)\.v(?P<version>\d+)\.yaml$")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the VLM is told: `id` is name and version, stored with every answer; `language` is that of its words, "en" or "ko"."""

    id: str
    system: str
    user: str
    language: str = "en"


def names() -> list[str]:
    """The prompts there are to choose from, under all their names; those that only follow another are not among them."""
    return sorted({*(match["name"] for match in _files()), *_OTHER_NAMES} - _SECOND)


def shows_camera(name: str) -> bool:
    """Whether a prompt is one for camera footage, in whatever language."""
    return name in _CAMERAS.values()


def in_language(name: str, language: str) -> str:
    """The name of a prompt in a language ("en" or "ko").

    Raises:
        BadInput: when there is no such prompt, or none in that language.
    """
    wanted = _CAMERAS.get(language, name) if shows_camera(name) else name
    if load(wanted).language != language:
        raise BadInput(f"the prompt {name!r} does not exist in the language {language!r}")
    return wanted


@cache
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
    return Prompt(
        id=f"{filed}.v{page['version']}",
        system=page["system"].strip(),
        user=page["user"].strip(),
        language=page.get("language", "en"),
    )


def _files() -> list[re.Match[str]]:
    found = (_FILE.match(entry.name) for entry in resources.files(__name__).iterdir())
    return [match for match in found if match]
