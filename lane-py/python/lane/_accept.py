"""What others call a request, read as a `lane.Request`.

Nothing is imported here: an object is what it looks like, so `requests`, `httpx` and web frameworks stay optional.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lane._lane import Request

#: What a mapping of a request's own fields may hold.
FIELDS = ("method", "authority", "path", "headers", "source", "remembered", "roll", "recorded")
#: What requests as data hold beside them, which are arguments of a router's methods here.
BESIDE = ("ingress", "hop", "inbound", "live")


def request_of(given: object) -> Request:
    """A request of what anybody calls one."""
    if isinstance(given, Request):
        return given
    if isinstance(given, Mapping):
        if (given.get("type") in ("http", "websocket") and "raw_path" in given) or "asgi" in given:
            return of_asgi(given)
        if "REQUEST_METHOD" in given:
            return of_wsgi(given)
        return of_fields(given)
    for name in ("method", "url", "headers"):
        if not hasattr(given, name):
            kind = type(given).__name__
            raise TypeError(
                "a request must be a lane.Request, a requests or httpx request, a WSGI environment, an ASGI scope, "
                f"or a mapping of {', '.join(FIELDS)}; not {kind}"
            )
    return of_client(given)


def of_fields(fields: Mapping[Any, Any]) -> Request:
    """A mapping with the fields of `lane.Request`; `url` stands for authority and path."""
    known = {name: value for name, value in fields.items() if name != "url"}
    for name in known:
        if name in BESIDE:
            raise TypeError(
                f"`{name}` is no field of a request here; ask `Router.answer`, which takes requests as data"
            )
        if name not in FIELDS:
            raise TypeError(f"a request has no field {name!r}; it has {', '.join(FIELDS)}, or `url`")
    if "url" in fields:
        known["authority"], known["path"] = split_url(fields["url"])
    return Request(**known)


def of_client(given: Any) -> Request:
    """A request of `requests` (prepared or not) or of `httpx`."""
    if hasattr(given, "prepare") and hasattr(given, "params"):
        # What is not prepared has its query, cookies and body apart.
        given = given.prepare()
    authority, path = split_url(str(given.url))
    raw = getattr(given.headers, "raw", None)
    headers: Iterable[tuple[Any, Any]] = given.headers.items() if raw is None else raw
    lines = [(name, value) for name, value in headers]
    host = [value for name, value in lines if text(name).lower() == "host"]
    return Request(method=text(given.method), authority=host[0] if host else authority, path=path, headers=lines)


def of_wsgi(environ: Mapping[str, Any]) -> Request:
    """A WSGI environment (PEP 3333): its texts are bytes in disguise."""

    def raw(value: str) -> bytes:
        return value.encode("latin-1")

    headers = [
        (key[5:].replace("_", "-").lower(), raw(value)) for key, value in environ.items() if key.startswith("HTTP_")
    ]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers.append((key.replace("_", "-").lower(), raw(environ[key])))
    path = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if path is None:
        path = quote(raw(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")))
        if environ.get("QUERY_STRING"):
            path += b"?" + raw(environ["QUERY_STRING"])
    elif "://" in path:
        path = split_url(path)[1]
    host = environ.get("HTTP_HOST")
    if host is None and environ.get("SERVER_NAME"):
        host = f"{environ['SERVER_NAME']}:{environ.get('SERVER_PORT', '80')}"
    source = {"ip": environ["REMOTE_ADDR"]} if environ.get("REMOTE_ADDR") else None
    return Request(
        method=environ["REQUEST_METHOD"],
        authority=None if host is None else raw(host),
        path=raw(path) if isinstance(path, str) else path,
        headers=headers,
        source=source,
    )


def of_asgi(scope: Mapping[str, Any]) -> Request:
    """An ASGI scope (HTTP or websocket)."""
    headers = [(bytes(name), bytes(value)) for name, value in scope.get("headers", ())]
    path = scope.get("raw_path")
    # Some servers put the query into the raw path, although it has its own place.
    path = quote(scope.get("path", "").encode()) if path is None else bytes(path).split(b"?", 1)[0]
    if scope.get("query_string"):
        path += b"?" + bytes(scope["query_string"])
    host = next((value for name, value in headers if name.lower() in (b"host", b":authority")), None)
    client = scope.get("client")
    return Request(
        method=scope.get("method", "GET"),
        authority=host,
        path=path,
        headers=headers,
        source={"ip": client[0]} if client else None,
    )


def split_url(url: object) -> tuple[str | None, str]:
    """The authority and the path, with query and without fragment, of a URL."""
    if not isinstance(url, str):
        raise TypeError(f"`url` must be str, not {type(url).__name__}")
    parts = urlsplit(url)
    if not parts.netloc and not url.startswith("/"):
        raise ValueError(f"`{url}` is no URL: write http://HOST/PATH, or a path that begins with /")
    # Who is logged in stands in no authority that is sent (RFC 9110, 4.2.4).
    authority = parts.netloc.rpartition("@")[2] or None
    path = parts.path or "/"
    return authority, f"{path}?{parts.query}" if parts.query else path


def text(value: str | bytes) -> str:
    """Text of what is text or ASCII bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def quote(path: bytes) -> bytes:
    """A path that a server decoded, as it was probably received."""
    keep = b"/-._~!$&'()*+,;=:@"
    return b"".join(
        bytes([byte]) if byte in keep or (chr(byte).isalnum() and byte < 128) else b"%%%02X" % byte for byte in path
    )
