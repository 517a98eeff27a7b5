"""What Prometheus reads about cameras, asked for at every scrape. Labels hold names, reasons and outcomes; never an address.

A camera that cannot be captured is counted, and has no series of its own: two of them may have one name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from extension.wire import CameraOut

_REFUSED, _RECORDING = "refused", "recording"
_OUTCOMES: Final = {"looked": "looked", "gated": "gated", "Shed": "shed"}
_FAILED: Final = "failed"
"""A window that ended with any other code; the codes themselves are in the captions' metrics."""


class LagCount(Protocol):
    """Windows by the first bound that they keep, one more count for those above all, and the seconds of all together."""

    @property
    def counts(self) -> Sequence[int]:
        """As many as there are bounds, and one."""
        ...

    @property
    def sum_s(self) -> float:
        """Seconds."""
        ...


class CameraMetrics(Collector):
    """The metrics of all cameras.

    Args:
        cameras: How every camera is, now.
        lags: How long windows take from their end to the store, by camera.
        bounds_s: The bounds that these are counted by, seconds.
    """

    def __init__(
        self,
        cameras: Callable[[], Sequence[CameraOut]],
        lags: Callable[[], Mapping[str, LagCount]],
        bounds_s: Sequence[float],
    ) -> None:
        self._cameras = cameras
        self._lags = lags
        self._bounds_s = bounds_s

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names are fixed, and asking the cameras at registration would be too early."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families."""
        known = self._cameras()
        cameras = [camera for camera in known if camera.state != _REFUSED]
        yield GaugeMetricFamily(
            "timetravel_cameras_refused",
            "Cameras that cannot be captured as they are configured.",
            value=len(known) - len(cameras),
        )
        yield from _capture(cameras)
        yield from _windows(cameras)
        yield self._late({camera.name for camera in cameras})

    def _late(self, names: set[str]) -> Metric:
        text = "Time from a window's end to its record in the store; windows that were shed are left out."
        family = HistogramMetricFamily("timetravel_camera_window_lag_seconds", text, labels=["camera"])
        for name, lag in self._lags().items():
            if name not in names:
                continue
            running, buckets = 0, []
            for bound, count in zip((*map(str, self._bounds_s), "+Inf"), lag.counts, strict=True):
                running += count
                buckets.append((bound, running))
            family.add_metric([name], buckets, lag.sum_s)
        return family


def _capture(cameras: Sequence[CameraOut]) -> Iterator[Metric]:
    yield _gauge(
        "up",
        "Whether the camera's stream is being recorded.",
        {camera.name: float(camera.state == _RECORDING) for camera in cameras},
    )
    yield _counter("frames", "Frames received.", {camera.name: camera.frames for camera in cameras})
    yield _counter(
        "received_bytes", "Bytes of these frames.", {camera.name: camera.received_bytes for camera in cameras}
    )
    yield _counter(
        "reconnects",
        "Connections after the first.",
        {camera.name: camera.reconnects for camera in cameras},
    )
    yield _gauge(
        "last_frame_timestamp_seconds",
        "When the last frame came, Unix time; not there before the first.",
        {c.name: c.last_frame_at.timestamp() for c in cameras if c.last_frame_at is not None},
    )
    yield _gauge(
        "clock_offset_seconds",
        "The camera's clock less ours; not there where it tells no time.",
        {c.name: c.clock_offset_s for c in cameras if c.clock_offset_s is not None},
    )
    yield _counter(
        "captured_seconds", "Time that is recorded.", {camera.name: camera.captured_s for camera in cameras}
    )
    yield _lost(cameras)


def _lost(cameras: Sequence[CameraOut]) -> Metric:
    # A gap that is still open counts up to now, and the segment that ends it may begin before now: not only growing.
    text = "Time that is lost, by reason."
    family = GaugeMetricFamily("timetravel_camera_lost_seconds", text, labels=["camera", "reason"])
    for camera in cameras:
        for reason, lost_s in camera.lost_s.items():
            family.add_metric([camera.name, reason], lost_s)
    return family


def _windows(cameras: Sequence[CameraOut]) -> Iterator[Metric]:
    text = "Windows by how they ended: looked at, left out by the gate, shed for want of time, failed."
    family = CounterMetricFamily("timetravel_camera_windows", text, labels=["camera", "outcome"])
    for camera in cameras:
        ended = Counter(dict.fromkeys((*_OUTCOMES.values(), _FAILED), 0))
        for code, count in camera.windows.items():
            ended[_OUTCOMES.get(code, _FAILED)] += count
        for outcome, count in ended.items():
            family.add_metric([camera.name, outcome], count)
    yield family
    yield _gauge(
        "windows_waiting",
        "Windows that wait to be looked at.",
        {camera.name: camera.waiting for camera in cameras},
    )
    yield _gauge(
        "notices_waiting",
        "Notices of motion that wait until the VLM can be had.",
        {camera.name: camera.notices for camera in cameras},
    )


def _gauge(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"timetravel_camera_{name}", text, labels=["camera"])
    for camera, value in values.items():
        family.add_metric([camera], value)
    return family


def _counter(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"timetravel_camera_{name}", text, labels=["camera"])
    for camera, value in values.items():
        family.add_metric([camera], value)
    return family
