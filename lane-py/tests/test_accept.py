"""What others call a request."""

from __future__ import annotations

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
import requests

from lane import Request, Source

URL = "http://shop.example:8080/mock%20a?x=1#top"


def test_httpx() -> None:
    given = httpx.Request("PUT", URL, headers=[("x-group", "a"), ("X-Group", "b")], cookies={"uid": "7"})
    request = Request.of(given)
    assert (request.method, request.authority, request.path) == ("PUT", "shop.example:8080", "/mock%20a?x=1")
    assert [value for name, value in request.headers if name.lower() == "x-group"] == ["a", "b"]
    assert ("cookie", "uid=7") in [(name.lower(), value) for name, value in request.headers]


def test_requests() -> None:
    given = requests.Request("GET", URL, headers={"x-group": "a"}, params={"y": "2"}, cookies={"uid": "7"})
    for form in (given, given.prepare()):
        request = Request.of(form)
        assert (request.method, request.authority, request.path) == ("GET", "shop.example:8080", "/mock%20a?x=1&y=2")
        assert dict(request.headers)["x-group"] == "a"
        assert dict(request.headers)["Cookie"] == "uid=7"


def test_wsgi() -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/caf\xc3\xa9 %",
        "QUERY_STRING": "x=1",
        "HTTP_HOST": "shop.example",
        "HTTP_X_USER_GROUP": "qa",
        "HTTP_X_RAW": "\xff",
        "CONTENT_TYPE": "text/plain",
        "REMOTE_ADDR": "10.0.0.7",
        "wsgi.input": io.BytesIO(),
    }
    assert Request.of(environ) == Request(
        method="POST",
        authority="shop.example",
        path="/app/caf%C3%A9%20%25?x=1",
        headers=[("host", "shop.example"), ("x-user-group", "qa"), ("x-raw", b"\xff"), ("content-type", "text/plain")],
        source=Source(ip="10.0.0.7"),
    )
    usual: dict[str, Any] = {}
    setup_testing_defaults(usual)
    assert Request.of(usual).path == "/"
    assert Request.of({**environ, "REQUEST_URI": "/as%2Freceived?q"}).path == "/as%2Freceived?q"


def test_asgi() -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "method": "GET",
        "path": "/mock a",
        "raw_path": b"/mock%20a",
        "query_string": b"x=1",
        "headers": [(b"host", b"shop.example"), (b"x-group", b"a"), (b"x-group", b"b")],
        "client": ("10.0.0.7", 40000),
    }
    wanted = Request(
        method="GET",
        authority="shop.example",
        path="/mock%20a?x=1",
        headers=[("host", "shop.example"), ("x-group", "a"), ("x-group", "b")],
        source=Source(ip="10.0.0.7"),
    )
    assert Request.of(scope) == wanted
    assert Request.of({**scope, "raw_path": None}) == wanted
    assert Request.of({**scope, "raw_path": b"/mock%20a?x=1"}) == wanted


def test_mappings() -> None:
    assert Request.of({"path": "/x", "roll": 7}) == Request(path="/x", roll=7)
    assert Request.of(Request(path="/x")) == Request(path="/x")
    with pytest.raises(TypeError, match="`url` must be str, not int"):
        Request.of({"url": 7})
