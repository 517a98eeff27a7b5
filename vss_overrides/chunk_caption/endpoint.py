"""What is known of a VLM endpoint: who owns the model, how many tokens it takes, how it reads videos. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

IMAGES = "images"
VIDEO_JPEG = "video_jpeg"
MP4 = "mp4"

REFERENCE_OWNER = "timetravel"
VLLM_OWNER = "vllm"


@dataclass(frozen=True)
class VideoForm:
    """How a server reads one form of video.

    `fps` is its own clock: it writes `<T seconds>` with frame number i (from 0) at i / fps seconds; None when it
    writes no such marks, or when they cannot be read back. `most_frames` is where it starts to leave frames out (None:
    nowhere that the probe could see). `options` says that it takes frame times with the request and then writes them right.
    """

    fps: float | None = None
    most_frames: int | None = None
    options: bool = False


@dataclass(frozen=True)
class Endpoint:
    """One model on one server. A form of video that it does not read is None.

    `max_model_len` counts tokens, answer included (None: not said). `uuid` says that media may carry a hash by which the server knows them again.
    """

    owned_by: str = ""
    max_model_len: int | None = None
    video_jpeg: VideoForm | None = None
    mp4: VideoForm | None = None
    uuid: bool = False

    def form(self, packing: str) -> VideoForm:
        """How the server reads that form of video; when it is forced on a server not known to read it, nothing is known."""
        return {VIDEO_JPEG: self.video_jpeg, MP4: self.mp4}.get(packing) or VideoForm()
