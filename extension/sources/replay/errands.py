"""What single objects of a drawn log are told to do: stand still, or walk over the path of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

STOP_S: Final = (2.5, 6.0)
"""How long objects stand still, by chance between these."""

BEHIND_S: Final = 2.5
"""A crossing leads over the place where the other object was this long ago."""

_GIVE_UP_S: Final = 7.0
_THERE_CM: Final = 30.0
_PAST_CM: Final = 120.0


@dataclass(slots=True)
class Errand:
    """One object on its own way.

    Attributes:
        who: Row of the object.
        until_s: When it is given up or over, log seconds.
        target: Where to go (x, z), shape (2,); None stands still.
    """

    who: int
    until_s: float
    target: npt.NDArray[np.float64] | None = None

    def over(self, place: npt.NDArray[np.float64], now_s: float) -> bool:
        """Whether it is done; `place` is where the object is, shape (2,)."""
        there = self.target is not None and float(np.hypot(*(self.target - place))) < _THERE_CM
        return there or now_s >= self.until_s

    def velocity(self, place: npt.NDArray[np.float64], speed: float) -> npt.NDArray[np.float64]:
        """Where to move, cm/s, shape (2,)."""
        if self.target is None:
            return np.zeros(2)
        way = self.target - place
        return speed * way / max(float(np.hypot(*way)), 1e-6)


def standing(who: int, now_s: float, chance: np.random.Generator) -> Errand:
    """Stand still for a while."""
    return Errand(who, now_s + float(chance.uniform(*STOP_S)))


def crossing(who: int, place: npt.NDArray[np.float64], was: npt.NDArray[np.float64], now_s: float) -> Errand:
    """Walk over the place where another object was, and a little further."""
    way = was - place
    length = max(float(np.hypot(*way)), 1e-6)
    return Errand(who, now_s + _GIVE_UP_S, was + way / length * _PAST_CM)
