"""Answers questions about one video from what is stored about it, with citations that seek.

It looks at no picture and decides nothing: what is not stored is said to be unknown.
"""

from extension.answers.ask import answer
from extension.answers.writer import Writer, can_write

__all__ = ["Writer", "answer", "can_write"]
