"""Fixtures of the page's tests: a service of stand-ins on a real server, and a real browser where there is one."""

from __future__ import annotations

import os

from playwright.sync_api import expect

# Before anything imports Gradio.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# A busy machine is slow, not broken.
expect.set_options(timeout=30_000)
