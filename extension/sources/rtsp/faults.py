"""What a simulated camera does wrong, as one value that is replaced while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults that last until they are taken back. Connections are cut at once by `RtspServer.drop`.

    Attributes:
        stall: Connections stay, nothing is sent.
        refuse: New connections are reset when they ask for the stream.
        deny: No password is right.
        clock_s: The camera's wall clock is off by this many seconds; negative is in the past.
        clockless: No sender reports: the camera does not say what time it has.
        loss: Share of RTP packets that are not sent, 0 to 1.
        variant: Which of the stream's variants is sent, from 0: another one has another resolution.
    """

    stall: bool = False
    refuse: bool = False
    deny: bool = False
    clock_s: float = 0.0
    clockless: bool = False
    loss: float = 0.0
    variant: int = 0
