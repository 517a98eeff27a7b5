"""Documents that cannot rot: what they say is checked against what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from extension import VERSION, cli, errors, settings
from extension.command import settings_page

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "vss_overrides").glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file."""
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_generated_pages_are_current() -> None:
    """`make docs` was run after the last change of the settings."""
    assert (ROOT / ".env.template").read_text("utf-8") == settings_page.env_template()
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_page.settings_page()


def test_settings_named_in_documents_exist() -> None:
    """No page names a knob that is not there."""
    known = {field.alias for field in settings.Settings.model_fields.values()}
    for page in PAGES:
        assert set(re.findall(r"\bEXT_[A-Z_]+\b", page.read_text("utf-8"))) - {"EXT_"} <= known, _name(page)


def test_the_readme_shows_commands_that_exist() -> None:
    """Scripts are there and can be started; commands of the command line are known."""
    text = (ROOT / "README.md").read_text("utf-8")
    for script in set(re.findall(r"scripts/[a-z_-]+\.sh", text)):
        assert (ROOT / script).stat().st_mode & 0o111, script
    known = {
        command.name or (command.callback and command.callback.__name__)
        for command in cli.app.registered_commands
    }
    assert set(re.findall(r"timetravel ([a-z]+)", text)) <= known


def test_the_error_tree_is_complete() -> None:
    """The tree on top of errors.py names every error."""
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, Exception):
            assert name in (errors.__doc__ or ""), name


def test_the_example_of_receivers_can_be_loaded(tmp_path: Path) -> None:
    """The YAML in docs/alerts.md is valid."""
    from extension.notify import receivers

    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "alerts.md").read_text("utf-8"), re.DOTALL)
    assert yaml.safe_load(example)
    (tmp_path / "plant.secret").write_text("whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0")
    (tmp_path / "receivers.yaml").write_text(example)
    assert len(receivers.load(tmp_path / "receivers.yaml")) == 2


def test_the_command_line_explains_itself() -> None:
    """Help for every command; the version is the package's."""
    runner = CliRunner()
    for command in ("run", "summarize", "serve", "doctor", "docs"):
        assert runner.invoke(cli.app, [command, "--help"]).exit_code == 0
    assert runner.invoke(cli.app, ["version"]).output.strip() == VERSION
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text("utf-8")
