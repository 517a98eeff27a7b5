"""Labels of one's own: read from three kinds of file, refused by name, and told where they fit the log badly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.timetravel.log_labels import checked_labels, label_doubts, read_labels
from extension.timetravel.trajectory_csv import labelled, parse_trajectory, read_trajectory

LOG = "timestamp,objid,x,y,z\n" + "".join(f"2025-01-01 00:00:00,obj{n:03d},{n},0,0\n" for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("map.yaml", "obj001: F1\nobj002: 22\n", id="yaml"),
        pytest.param("map.yml", "{obj001: F1, obj002: '22'}", id="yaml-in-a-line"),
        pytest.param("map", "obj001: F1\nobj002: '22'\n", id="no-suffix"),
        pytest.param("map.json", '{"obj001": "F1", "obj002": 22}', id="json"),
        pytest.param("map.csv", "objid,label\nobj001,F1\nobj002,22\n", id="csv"),
        pytest.param("map.CSV", "\ufeffLabel , note, OBJID\nF1,x,obj001\n\n22,,obj002\n", id="csv-of-a-spreadsheet"),
    ],
)  # fmt: skip
def test_a_map_is_read(tmp_path: Path, name: str, text: str) -> None:
    """As YAML, JSON or CSV."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_labels(tmp_path / name) == {"obj001": "F1", "obj002": "22"}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        pytest.param("m.yaml", "a: X\nb: X\n", "the label 'X' is given to both 'a' and 'b'", id="same-label"),
        pytest.param("m.json", '{"a": 1, "b": "1"}', "the label '1' is given to both 'a' and 'b'", id="same-number"),
        pytest.param("m.yaml", "a: X\na: Y\n", "the objid 'a' is there twice", id="same-id-yaml"),
        pytest.param("m.json", '{"a": "X", "a": "Y"}', "the objid 'a' is there twice", id="same-id-json"),
        pytest.param("m.csv", "objid,label\na,X\na,Y\n", "the objid 'a' is there twice", id="same-id-csv"),
        pytest.param("m.csv", "objid,name\na,X\n", "line 1: missing columns label", id="no-column"),
        pytest.param("m.csv", "", "line 1: missing columns objid, label", id="empty-csv"),
        pytest.param("m.csv", "objid,label\na,X,Y\n", "a row has more or fewer fields", id="long-row"),
        pytest.param("m.csv", 'objid,label\na,"X\n', "line 2: not CSV", id="open-quote"),
        pytest.param("m.json", '{"a": \n', "line 2: not JSON", id="cut-json"),
        pytest.param("m.json", "[1, 2]", "it must be a map from objid to label", id="list"),
        pytest.param("m.json", '{"a": {"b": 1}}', "the label of 'a' must be text or a whole number", id="nested"),
        pytest.param("m.json", '{"a": true}', "the label of 'a' must be text or a whole number", id="truth"),
        pytest.param("m.json", '{"a": 1.5}', "the label of 'a' must be text or a whole number", id="broken"),
        pytest.param("m.json", '{"a": null}', "the label of 'a' must be text or a whole number", id="nothing"),
        pytest.param("m.yaml", "a: [1]\n", "the label of 'a' must be text", id="yaml-list"),
        pytest.param("m.yaml", "a: X\n b: : Y\n", "line 2: not YAML", id="bad-yaml"),
        pytest.param("m.yaml", "just a word", "it must be a map", id="word"),
        pytest.param("m.yaml", "", "it must be a map", id="empty-yaml"),
        pytest.param("m.yaml", "a: '  '\n", "the label of 'a' is ''", id="blank"),
        pytest.param("m.yaml", f"a: {'x' * 33}\n", "it must be 1 to 32 printable letters", id="long"),
        pytest.param("m.json", '{"a": "x\\ny"}', "printable letters", id="line-break"),
    ],
)  # fmt: skip
def test_a_bad_map_says_why(tmp_path: Path, name: str, text: str, reason: str) -> None:
    """By the file's name and without its folder."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_labels(tmp_path / name)
    assert reason in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


def test_a_map_that_is_no_text_or_not_there_is_refused_by_name(tmp_path: Path) -> None:
    """Without its folder."""
    (tmp_path / "m.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"^m.yaml: not UTF-8 text$"):
        read_labels(tmp_path / "m.yaml")
    with pytest.raises(BadInput, match=r"^none.yaml: cannot be read \(No such file"):
        read_labels(tmp_path / "none.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (5 * 1024**2))
    with pytest.raises(BadInput, match=r"^large.yaml: too large"):
        read_labels(tmp_path / "large.yaml")


def test_labels_stand_in_place_of_the_numbers(tmp_path: Path) -> None:
    """Drawn, looked up and told; objects left out keep their numbers."""
    (tmp_path / "log.csv").write_text(LOG)
    log = read_trajectory(tmp_path / "log.csv", named={"obj001": "F1", "obj002": "7"})
    assert dict(log.labels) == {"obj001": "F1", "obj002": "7", "obj003": "3"}
    assert log.objid_of("F1") == "obj001"
    assert log.objid_of("obj002") == "obj002"
    assert log.warnings == ("the map of labels does not name 'obj003'; they keep the numbers of their ids",)


def test_a_map_and_a_log_that_do_not_fit_are_told() -> None:
    """Both ways, and no more than five by name."""
    named = {f"obj{n:03d}": f"F{n}" for n in range(2, 10)}
    found = labelled(parse_trajectory(LOG), named)
    assert found.warnings == (
        "the map of labels names 'obj004', 'obj005', 'obj006', 'obj007', 'obj008' and 1 more, which the log does not have",
        "the map of labels does not name 'obj001'; they keep the numbers of their ids",
    )
    assert label_doubts({}, ["a"]) == ()
    assert label_doubts({"a": "1"}, ["a"]) == ()


def test_a_label_that_is_anothers_number_is_refused_by_name() -> None:
    """A 3 on object 1 would be mistaken for object 3, unless that has a label of its own."""
    log = parse_trajectory(LOG)
    assert dict(labelled(log, {"obj001": "3"}).labels) == {"obj001": "3", "obj002": "2", "obj003": "obj003"}
    assert labelled(log, {"obj001": "3", "obj003": "1"}).labels["obj003"] == "1"
    with pytest.raises(BadInput, match="'same' is given to more than one object: 'obj001', 'obj002'"):
        labelled(log, {"obj001": "same", "obj002": "same"})
    with pytest.raises(BadInput, match="'obj002' is given to more than one object"):
        labelled(log, {"obj001": "obj002", "obj003": "2"})


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=6))
def test_a_map_is_taken_as_it_is_or_refused(pairs: dict[str, str]) -> None:
    """Never a label lost, nor two alike."""
    try:
        labels = checked_labels(pairs.items())
    except BadInput:
        return
    assert len(set(labels.values())) == len(labels) == len(pairs)
    assert labels == {objid.strip(): label.strip() for objid, label in pairs.items()}


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,6}[0-9]{1,3}", fullmatch=True), st.integers(0, 999), max_size=6)
)
def test_json_and_csv_say_the_same(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, int]) -> None:
    """Whichever is at hand."""
    folder = tmp_path_factory.mktemp("maps")
    (folder / "m.json").write_text(json.dumps(pairs))
    (folder / "m.csv").write_text("objid,label\n" + "".join(f"{k},{v}\n" for k, v in pairs.items()))
    results = []
    for name in ("m.json", "m.csv"):
        try:
            results.append(str(read_labels(folder / name)))
        except BadInput as exc:
            results.append(str(exc).partition(": ")[2])
    assert results[0] == results[1]
