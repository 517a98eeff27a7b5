"""What every response carries, and which requests a browser may make for a stranger: none that change anything."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extension.api.problems import problem

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Data, never pages: whatever a file holds, a browser runs none of it.
_DATA = {"Content-Security-Policy": "default-src 'none'; media-src 'self'; frame-ancestors 'self'"}


class Guard:
    """ASGI middleware: security headers, and a refusal of other websites' writing requests (Sec-Fetch-Site)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with our headers on its way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_api = scope["path"].startswith("/api/")
        extra = {**_ALWAYS, **_DATA, "Cache-Control": "no-store"} if is_api else _ALWAYS

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in extra.items():
                    headers.setdefault(name, value)
            await send(message)

        site = Headers(scope=scope).get("sec-fetch-site")
        if is_api and scope["method"] not in _SAFE_METHODS and site is not None and site not in _OWN_SITES:
            refusal = problem(HTTPStatus.FORBIDDEN, "Another website may not change anything here.")
            await refusal(scope, receive, marked)
            return
        await self._app(scope, receive, marked)
