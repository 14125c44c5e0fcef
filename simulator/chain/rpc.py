"""JSON-RPC to a node, in batches, over a private socket or loopback HTTP.

Only two ways lead out of here: the socket of a child process, and an HTTP host
that is proven to be the loopback interface before anything is sent.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from simulator.chain.codec import optional
from simulator.errors import ChainUnavailable, ForbiddenEndpoint

ANSWER_SECONDS = 60.0
_DEFAULT_PORT = 8545
_NAME = "localhost"
_CHUNK = 1 << 20

Request = tuple[str, list[Any]]
Response = dict[str, Any]


class RpcError(Exception):
    """The node answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.data = error.get("data")
        self.message = str(error.get("message", error))
        super().__init__(self.message)


class Rpc:
    """A node's interface: single requests and batches.

    Raises
    ------
    ChainUnavailable
        From every method, when the node does not answer.
    """

    def __init__(self, provider: Any, place: str, close: Callable[[], None]) -> None:
        self._provider = provider
        self.place = place
        self.close = close

    def request(self, method: str, *params: Any) -> Any:
        """Return one request's result.

        Raises
        ------
        RpcError
            If the node refuses it.
        """
        response = self.batch([(method, list(params))])[0]
        if "error" in response:
            raise RpcError(response["error"])
        return response["result"]

    def batch(self, requests: Sequence[Request]) -> list[Response]:
        """Return the responses to `requests`, in their order, errors among them."""
        if not requests:
            return []
        try:
            answer = self._provider.make_batch_request(list(requests))
        except (OSError, ValueError, EOFError) as error:
            text = _why(error)
            raise ChainUnavailable(f"no answer from {self.place}: {text}") from error
        if not isinstance(answer, list) or len(answer) != len(requests):
            raise ChainUnavailable(f"{self.place} does not answer in batches: {str(answer)[:80]}")
        return answer


def _why(error: BaseException) -> str:
    """Return the innermost reason in a line; libraries wrap it in their own."""
    while isinstance(error.args[0] if error.args else None, BaseException):
        error = error.args[0]
    inner = getattr(error, "reason", None)
    text = str(inner if isinstance(inner, BaseException) else error) or type(error).__name__
    return "nothing listens there" if "refused" in text.lower() else text


def over_socket(path: str) -> Rpc:
    """Return the interface of the node that listens on the Unix socket `path`."""
    try:
        provider = _socket_provider(path)
    except OSError as error:
        raise ChainUnavailable(f"anvil went away before it answered: {error}") from error
    return Rpc(provider, "anvil", provider.close)


def over_http(url: str) -> Rpc:
    """Return the interface of a node on the loopback interface.

    Raises
    ------
    ForbiddenEndpoint
        If the host is anything else. Nothing has been sent then.
    """
    address = loopback_url(url)
    web3, requests = optional("web3"), optional("requests")
    session = requests.Session()
    # A proxy from the environment or a redirect would lead off this machine.
    session.trust_env = False
    proxies = dict.fromkeys(("http", "https", "all"))
    options = {"timeout": ANSWER_SECONDS, "allow_redirects": False, "proxies": proxies}
    provider = web3.HTTPProvider(
        address, request_kwargs=options, session=session, exception_retry_configuration=None
    )
    return Rpc(provider, address, session.close)


def loopback_url(url: str) -> str:
    """Return `url` rebuilt from its checked parts.

    Raises
    ------
    ForbiddenEndpoint
        If it is not http to 127.0.0.0/8, ::1 or localhost.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _DEFAULT_PORT
    except ValueError as error:
        raise ForbiddenEndpoint(f"--rpc {url}: {error}") from error
    plain = not set(url) & set("@\\")
    if parts.scheme != "http" or not plain or not _is_loopback(host):
        raise ForbiddenEndpoint(
            f"--rpc {url}: must be http to this machine (127.0.0.1, ::1 or localhost);"
            " Assay sends nothing to any other host"
        )
    # Rebuilt, so that no other parser can read another host out of the same text.
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def place_of(url: str) -> tuple[str, int]:
    """Return the address and the port at which a node of `loopback_url` listens."""
    parts = urlsplit(url)
    host = parts.hostname or _NAME
    return "127.0.0.1" if host == _NAME else host, parts.port or _DEFAULT_PORT


def _is_loopback(host: str) -> bool:
    try:
        names = [host]
        if host == _NAME:
            names = [str(entry[4][0]) for entry in socket.getaddrinfo(host, None)]
        return all(ipaddress.ip_address(name).is_loopback for name in names)
    except (OSError, ValueError):
        return False


def _encoded(requests: Sequence[Request]) -> bytes:
    """Return a batch as JSON: at once, where web3 encodes each request by itself."""
    batch = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(requests)
    ]
    return json.dumps(batch, separators=(",", ":")).encode()


def _socket_provider(path: str) -> Any:
    base: Any = optional("web3.providers.base").JSONBaseProvider

    class SocketProvider(base):  # type: ignore[misc]
        """web3's codec over a socket that notices at once when the node is gone.

        web3's own IPC provider waits for its time limit then, and reads answers
        in pieces of 4 KiB with a pause between them.
        """

        def __init__(self) -> None:
            super().__init__()
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(ANSWER_SECONDS)
            self._socket.connect(path)

        def make_batch_request(self, requests: list[Request]) -> list[Response]:
            """Return the responses in the order of the requests."""
            self._socket.sendall(_encoded(requests) + b"\n")
            responses = self._read()
            return sorted(responses, key=lambda response: response["id"])

        def _read(self) -> list[Response]:
            pieces: list[bytes] = []
            while True:
                piece = self._socket.recv(_CHUNK)
                if not piece:
                    raise EOFError("the node closed the connection")
                pieces.append(piece)
                if piece.rstrip().endswith(b"]"):
                    try:
                        found: list[Response] = json.loads(b"".join(pieces))
                    except json.JSONDecodeError:
                        continue
                    return found

        def close(self) -> None:
            """Close the socket."""
            self._socket.close()

    return SocketProvider()
