"""The page: a client of our REST API in the browser and over HTTP, nothing else. Importing it is cheap; Gradio comes with the call."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI


def mount_ui(app: FastAPI, api_url: Callable[[], str]) -> FastAPI:
    """Mount the page under /ui.

    Args:
        app: The application that also serves the API: the browser asks it at ../api/v1.
        api_url: Address of that application for the page's own requests, without a path; asked at each request, since
            the port may be known only once it serves.
    """
    from extension.ui.page import mount

    return mount(app, api_url)
