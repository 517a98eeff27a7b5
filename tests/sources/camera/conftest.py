"""What the tests of capture share: the clips of the server's tests."""

from __future__ import annotations

from tests.sources.rtsp.conftest import clip, hevc_clip, large_clip, reordered_clip

__all__ = ["clip", "hevc_clip", "large_clip", "reordered_clip"]
