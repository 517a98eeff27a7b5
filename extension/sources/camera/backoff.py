"""How long to wait before the next try. Waits for nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from extension.sources.camera.trouble import LASTING, Code


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting times.

    Attributes:
        first_s: After the first failure; doubled with each one after it.
        most_s: Never longer, but for what somebody has to mend.
        lasting_s: After a wrong password and other things that do not mend by themselves.
    """

    first_s: float = 0.5
    most_s: float = 30.0
    lasting_s: float = 60.0

    def wait_s(self, failures: int, code: Code, chance: float) -> float:
        """Seconds to wait, between half and all of the step, so that cameras do not come back all at once.

        Args:
            failures: In a row, from 1.
            code: Of the last one.
            chance: From 0 up to 1.
        """
        # 2**16 steps are longer than any `most_s`, and the power stays a small number.
        step_s = min(self.first_s * 2.0 ** min(failures - 1, 16), self.most_s)
        if code in LASTING:
            step_s = self.lasting_s
        return step_s * (0.5 + chance / 2)
