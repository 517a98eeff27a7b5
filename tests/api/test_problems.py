"""Errors as HTTP answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from pydantic import TypeAdapter, ValidationError

from extension import errors
from extension.api.problems import Rejected, faults_in_words, problem, status_of
from extension.sources.camera.trouble import CameraTrouble, Code
from extension.wire import JobIn


def made(kind: type[errors.ExtensionError]) -> errors.ExtensionError:
    """An error of that kind."""
    if issubclass(kind, errors.ViaServerRefused):
        return kind("no", status=400, code="BadParameter")
    if issubclass(kind, errors.DeliveryFailed):
        return kind("no", permanent=True)
    if issubclass(kind, Rejected):
        return kind(HTTPStatus.CONFLICT, "no")
    if issubclass(kind, CameraTrouble):
        return kind(Code.NOT_FOUND)
    return kind("no")


def family(kind: type[errors.ExtensionError]) -> Iterator[type[errors.ExtensionError]]:
    """A kind of error and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from family(below)


@pytest.mark.parametrize("kind", list(family(errors.ExtensionError)))
def test_every_error_of_the_tree_has_a_status(kind: type[errors.ExtensionError]) -> None:
    """The caller's faults are 4xx, everybody else's 5xx."""
    status = status_of(made(kind))
    is_callers = issubclass(kind, errors.BadInput | errors.NotFound)
    assert status // 100 == (4 if is_callers else 5)


def test_a_refusal_of_the_api_chooses_its_own_status() -> None:
    """It is bad input all the same."""
    assert status_of(Rejected(HTTPStatus.IM_A_TEAPOT, "no")) == 418


def test_a_problem_holds_the_four_members() -> None:
    """As RFC 9457 names them; 503 says when to come back."""
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, "Away.")
    assert response.media_type == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Away.",
    }
    assert int(response.headers["retry-after"]) > 0
    assert "retry-after" not in problem(404, "No.").headers


def test_faults_name_every_field() -> None:
    """All at once, each with its reason."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(JobIn).validate_python({"speed": -1, "chunk_s": "x"})
    text = faults_in_words(caught.value.errors())
    assert [part.split(":")[0] for part in text.split("; ")] == ["speed", "chunk_s"]


def test_faults_of_the_whole_request_are_called_so() -> None:
    """No field to name, no empty name."""
    assert faults_in_words([{"loc": ("body",), "msg": "Field required"}]) == "request: Field required"
