"""Every error of the extension, by what the caller should do about it.

ExtensionError
  + BadInput             the caller's to mend: never retried, shown as it is
    - BadSource            a video that cannot be analysed
    - BadTrajectory        a trajectory log that cannot be read; names the line
    - BadSettings          the configuration is wrong; names each knob
  + Unavailable          wait and try again
    - ViaServerUnavailable
    - VlmUnavailable
  + Refused              the other side answered no; trying again changes nothing
    - ViaServerRefused
  + VlmGarbled           an answer that is not a verdict: counted, retried, never "nothing happened"
  + DeliveryFailed       a notification did not arrive (permanent or not)
  + NotFound             no such job, incident or delivery
"""

from __future__ import annotations


class ExtensionError(Exception):
    """Root of all errors that the extension raises on purpose."""


class BadInput(ExtensionError):
    """Something the caller gave cannot be used; the message says what and why."""


class BadSource(BadInput):
    """A video that cannot be analysed."""


class BadTrajectory(BadInput):
    """A trajectory log that cannot be read; the message names the line."""


class BadSettings(BadInput):
    """The configuration is wrong; the message names every knob at fault."""


class Unavailable(ExtensionError):
    """The other side cannot be reached or is overloaded; try again later."""


class ViaServerUnavailable(Unavailable):
    """The via-server does not answer, or answers 5xx."""


class VlmUnavailable(Unavailable):
    """The VLM endpoint does not answer."""


class Refused(ExtensionError):
    """The other side answered no."""


class ViaServerRefused(Refused):
    """The via-server answered 4xx; `status` and `code` are its own."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class VlmGarbled(ExtensionError):
    """The VLM's answer follows no known form."""


class DeliveryFailed(ExtensionError):
    """A notification did not arrive.

    Args:
        reason: One sentence without secrets.
        permanent: True when trying again cannot help.
        retry_after_s: Seconds the receiver asked us to wait, where it did.
    """

    def __init__(self, reason: str, *, permanent: bool, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class NotFound(ExtensionError):
    """No such job, incident, delivery or file."""
