"""The presets of difficulty by name; `scenario` says what each means in numbers."""

from __future__ import annotations

import enum


class Difficulty(enum.StrEnum):
    """How much of a log is there to be mistaken."""

    EASY = "easy"
    """Long contacts, hardly anything else, and a tracker that makes no mistakes."""
    MIXED = "mixed"
    """Near misses, stops and crossings, now and then an occlusion or a swap; every log draws its own shares."""
    HARD = "hard"
    """Short contacts among many near misses, stops and crossings, with several occlusions and swaps."""
