"""Every error of the reference server, by what the caller should do about it.

ReferenceVlmError
  + RequestRefused       the caller's to mend: carries the HTTP status and vLLM's fields of an error body
    - FrameUnreadable    one frame of the request cannot be decoded; names its index
"""

from __future__ import annotations


class ReferenceVlmError(Exception):
    """Root of all errors that the reference server raises on purpose."""


class RequestRefused(ReferenceVlmError):
    """The request cannot be answered as it is; `status` is the HTTP code, `param` the field at fault."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "BadRequestError", param: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param


class FrameUnreadable(RequestRefused):
    """One frame cannot be decoded; `index` counts from 0 over all frames of the request."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"Failed to load image: {reason} (frame {index})")
        self.index = index
