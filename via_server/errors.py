"""Errors with the status, code and message that the engine answers for them."""

from __future__ import annotations

from http import HTTPStatus


class ViaError(Exception):
    """A refusal that the client reads as `{"code", "message"}` with HTTP status `status`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class NotAVideo(ViaError):
    """A file in which no picture of a video could be decoded."""

    def __init__(self) -> None:
        message = "File does not seem to be a valid MediaType.VIDEO file"
        super().__init__(HTTPStatus.BAD_REQUEST, "InvalidFile", message)


class StorageFull(ViaError):
    """No room for this upload, now."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, "ServerBusy", "storage full")


class CaptionsFailed(ViaError):
    """A caption request that failed as a whole: the model raised, or the file could not be decoded."""

    def __init__(self) -> None:
        message = "Failed to generate VLM captions"
        super().__init__(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", message)


def no_such_resource(asset_id: object) -> ViaError:
    """The refusal of an unknown asset id."""
    return ViaError(HTTPStatus.BAD_REQUEST, "BadParameter", f"No such resource {asset_id}")


def not_served(what: str) -> ViaError:
    """The refusal of a feature that NVIDIA's engine has and this server has not."""
    message = f"{what} is not served by the embedded via-server"
    return ViaError(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message)


def refused_value(message: str) -> ViaError:
    """The refusal of a request whose values do not fit together."""
    return ViaError(HTTPStatus.BAD_REQUEST, "BadParameter", message)
