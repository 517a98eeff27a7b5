"""Pages of tables: whole, plain, and no word of theirs is taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from extension.command.plain_page import PageTable, html
from extension.command.written import put
from extension.errors import BadInput

TABLE = PageTable("Figures", ("name", "count*"), [("a & b", "3"), ("<b>", "40")], ["mind this"])


class _Balance(HTMLParser):
    """Counts which elements are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more, unless it has no end."""
        del attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It must be the last that was opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """What is read."""
        self.text += data


def read(page: str) -> str:
    """The text of a page that is whole."""
    parser = _Balance()
    parser.feed(page)
    assert not parser.open
    return parser.text


def test_a_page_is_whole_and_tells_all() -> None:
    """Title, paragraphs, notes and cells."""
    text = read(html("Report", ["first", "second"], [TABLE]))
    for word in ("Report", "first", "second", "Figures", "mind this", "a & b", "<b>", "40"):
        assert word in text


def test_numbers_stand_on_the_right() -> None:
    """In columns marked so, and the mark is not shown."""
    page = html("Report", [], [TABLE])
    assert '<th class="n">count</th>' in page
    assert '<td class="n">40</td>' in page
    assert "<th>name</th>" in page


def test_what_is_said_stands_above_what_is_to_be_minded() -> None:
    """Only the latter is marked."""
    page = html("Report", [], [PageTable("T", ("a",), [("1",)], ["mind"], ["said"])])
    assert page.index("<p>said</p>") < page.index('<p class="note">mind</p>')


def test_some_cells_are_not_broken_into_lines() -> None:
    """Those of columns that are named."""
    page = html("Report", [], [PageTable("T", ("when", "why"), [("1 s", "so")], whole={"when"})])
    assert '<td class="w">1 s</td><td>so</td>' in page


def test_a_table_without_rows_says_none() -> None:
    """Rather than a head over nothing."""
    page = html("Report", [], [PageTable("Lost", ("name",), [])])
    assert "None." in read(page)
    assert "<table>" not in page


def test_a_row_of_another_length_is_a_mistake() -> None:
    """Found when the page is made, not when it is read."""
    with pytest.raises(ValueError, match="zip"):
        html("Report", [], [PageTable("Odd", ("one",), [("1", "2")])])


def test_nothing_is_loaded_from_elsewhere() -> None:
    """It can be mailed and opened anywhere."""
    page = html("Report", [], [TABLE])
    assert "http" not in page
    assert "src=" not in page


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """And takes the place of an older one."""
    path = tmp_path / "a" / "b.txt"
    put(path, "one")
    put(path, "둘")
    assert path.read_text(encoding="utf-8") == "둘"


def test_a_file_that_cannot_be_written_is_named_without_its_folder(tmp_path: Path) -> None:
    """One line."""
    (tmp_path / "a").touch()
    with pytest.raises(BadInput, match=r"b\.txt: cannot be written") as caught:
        put(tmp_path / "a" / "b.txt", "text")
    assert str(tmp_path) not in str(caught.value)
