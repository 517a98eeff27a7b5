"""Counters that others keep are served as they are at the moment of the scrape."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from extension.api.metrics import Counts


def _scraped(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_counts_are_read_at_every_scrape() -> None:
    """Nothing is copied, nothing is remembered."""
    kept = {"sent": 0, "given_up": 0}
    registry = CollectorRegistry()
    registry.register(Counts("deliveries", "What became of them.", "outcome", lambda: kept))
    assert 'deliveries_total{outcome="sent"} 0.0' in _scraped(registry)
    kept["sent"] += 3
    text = _scraped(registry)
    assert 'deliveries_total{outcome="sent"} 3.0' in text
    assert 'deliveries_total{outcome="given_up"} 0.0' in text
    assert "# HELP deliveries_total What became of them." in text
    assert "# TYPE deliveries_total counter" in text
