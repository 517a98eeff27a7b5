"""Session descriptions (RFC 4566) of what a stream sends."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from extension.sources.rtsp.rtp import CLOCK_HZ, PAYLOAD_TYPE
from extension.sources.rtsp.units import Codec, ParameterSets, nal_type

CONTROL = "trackID=0"
"""Name of the one track, below its stream's address."""


def video_lines(sets: ParameterSets, fps: float) -> tuple[str, ...]:
    """The media section of a video stream; a decoder can be set up from it alone."""
    name, parameters = _h264(sets) if sets.codec is Codec.H264 else _h265(sets)
    return (
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {name}/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} {parameters}",
        f"a=framerate:{fps:g}",
    )


def description(name: str, session: int, media: Sequence[str]) -> str:
    """The whole description of a live stream with one track, whose media section is given."""
    head = (
        "v=0",
        f"o=- {session} 1 IN IP4 0.0.0.0",
        f"s={name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=range:npt=now-",
        "a=control:*",
    )
    return "\r\n".join((*head, *media, f"a=control:{CONTROL}", ""))


def _h264(sets: ParameterSets) -> tuple[str, str]:
    profile = next((nal[1:4].hex().upper() for nal in sets.nals if nal_type(sets.codec, nal) == 7), "42E01F")  # noqa: PLR2004 - an SPS, whose first bytes are profile and level
    sprop = ",".join(b64encode(nal).decode() for nal in sets.nals)
    return "H264", f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}"


def _h265(sets: ParameterSets) -> tuple[str, str]:
    kinds = {32: "vps", 33: "sps", 34: "pps"}
    named = [(kinds[nal_type(sets.codec, nal)], b64encode(nal).decode()) for nal in sets.nals]
    return "H265", ";".join(f"sprop-{kind}={text}" for kind, text in named)
