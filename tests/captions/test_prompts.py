"""Prompts are versioned files that fit the via-server's limits."""

from __future__ import annotations

import pytest

from extension.captions import prompts
from extension.errors import BadInput

# VSS 2.4 refuses longer ones.
LIMIT = 5000


@pytest.mark.parametrize("name", prompts.names())
def test_prompts_fit_and_name_their_version(name: str) -> None:
    """Each prompt loads, fits, and names every severity the schema has that it may use."""
    prompt = prompts.load(name)
    assert prompt.id.startswith(f"{'simple_view' if name == 'replay' else name}.v")
    assert 0 < len(prompt.system) <= LIMIT
    assert 0 < len(prompt.user) <= LIMIT
    for word in ('"status"', '"events"', "start_s", "end_s", "objects", "severity", '"safe"'):
        assert word in prompt.user


def test_an_unknown_prompt_names_the_known_ones() -> None:
    """A typing mistake is answered with the choices."""
    with pytest.raises(BadInput, match="there are: camera, replay, simple_view, twin_view"):
        prompts.load("repaly")
