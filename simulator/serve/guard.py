"""Who may ask this server for what: the owner of its address alone, from this machine.

The token is the first part of every path. It is neither sent to another site nor to another
server on this machine, as a cookie would be, whatever the port; and a page that does not know
it cannot ask for anything here.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.errors import UsageError

MOST_BYTES = 512 * 1024
"""Of what is posted."""
_TOO_MUCH = f"that is too much; at most {MOST_BYTES:,} bytes are taken"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script but the server's own files. Styles stand on elements: bars and charts need them."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # `no-referrer` would make a form's Origin null, and that is checked
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class NotThere(UsageError):
    """A run, claim, path or page that does not exist."""


class Busy(UsageError):
    """Another process is at work on the same run."""


class Guard:
    """Lets a request through that knows a token, names this host, and does not come from afar.

    `apps` has what answers below each beginning of an address that holds a token.
    """

    def __init__(self, apps: Mapping[str, ASGIApp], port: int) -> None:
        self._apps = apps
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on without the token."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await next(iter(self._apps.values()))(scope, receive, send)
            return
        prefix = next((one for one in self._apps if _begins(scope["path"], one)), "")
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_MUCH)
            return message

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = next(self._refusals(scope, prefix), None)
        if refused is None:
            await self._apps[prefix]({**scope, "root_path": prefix}, counted, sealed)
        else:
            status, words = refused
            await PlainTextResponse(f"{words}\n", int(status))(scope, receive, sealed)

    def _refusals(self, scope: Scope, prefix: str) -> Iterator[tuple[HTTPStatus, str]]:
        headers, method = Headers(scope=scope), scope["method"]
        host = headers.get("host", "")
        if host not in self._hosts:
            yield HTTPStatus.FORBIDDEN, f"this server answers to {self._hosts[0]} alone"
        if not prefix:
            yield HTTPStatus.FORBIDDEN, "the address lacks the token that `assay serve` has printed"
        if method in ("GET", "HEAD"):
            return
        if headers.get("origin") != f"http://{host}":
            yield HTTPStatus.FORBIDDEN, "only a page of this server may post"
        size = headers.get("content-length", "")
        if not size.isdecimal() or "transfer-encoding" in headers:
            yield HTTPStatus.LENGTH_REQUIRED, "what is posted must say its length, and come whole"
        elif len(size) > 9 or int(size) > MOST_BYTES:
            yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_MUCH


def _begins(path: str, prefix: str) -> bool:
    known = f"{path}/"[: len(prefix) + 1]
    return hmac.compare_digest(known.encode("utf-8", "replace"), f"{prefix}/".encode())
