"""Checks what the service needs, and says beside each finding how to mend it. It leaves nothing behind but a few tokens' cost."""

from extension.command.doctor.examine import examine
from extension.command.doctor.finding import Finding, State, show

__all__ = ["Finding", "State", "examine", "show"]
