"""The server's own counters, in Prometheus form; nothing is decided from them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

PREFIX = "reference_vlm"


class Metrics:
    """Counters of one server; each has its own registry so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            f"{PREFIX}_requests", "Chat requests by outcome.", ["outcome"], registry=self.registry
        )
        self.frames = Counter(f"{PREFIX}_frames_read", "Frames looked at.", registry=self.registry)
        self.errors = Counter(
            f"{PREFIX}_errors", "Requests refused, by kind of error.", ["kind"], registry=self.registry
        )
        self.events = Counter(
            f"{PREFIX}_events", "Events answered, by kind of event.", ["kind"], registry=self.registry
        )
        self.seconds = Histogram(
            f"{PREFIX}_vision_seconds", "Wall time of the vision work of a request.", registry=self.registry
        )

    def text(self) -> bytes:
        """Return the exposition text."""
        return generate_latest(self.registry)
