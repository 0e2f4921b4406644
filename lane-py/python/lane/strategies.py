"""Hypothesis strategies: requests that a rule set has something to say about.

>>> from hypothesis import given
>>> from lane.strategies import requests
>>> @given(requests(router))
... def test_every_request_is_served(request):
...     assert router.ingress(request).status == 200

Values are drawn from the configuration itself: what its conditions name, and near misses of it (a letter more, a letter
less, another case, the number beside a bound), because that is where rules go wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from lane._lane import Request
from lane._values import Source

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from lane._lane import Router

__all__ = ["chains", "requests", "rolls"]

#: What nobody asked for.
UNRELATED = st.sampled_from(["", "0", "other", "OTHER", "a,b", "ü"])


def requests(router: Router, *, gateway: str | None = None) -> SearchStrategy[Request]:
    """Requests for gateways and for hops of this router.

    Every attribute that a rule reads is sometimes there and sometimes not, with values that its conditions name or
    nearly name. `gateway` leaves out the groups whose rules hold elsewhere.
    """
    groups = [
        group
        for group in router.config["groups"]
        if gateway is None or "gateways" not in group or gateway in group["gateways"]
    ]
    words = _Words()
    for group in groups:
        words.group(group)
    return st.builds(
        _request,
        method=_maybe(words.method, st.sampled_from(["GET", "POST"])),
        authority=_maybe(words.hosts, st.just("other.example")),
        path=_path(words),
        headers=_several(words.headers),
        cookies=_several(words.cookies),
        baggage=_several(words.baggage),
        labels=_several(words.labels),
        service=_maybe(words.services, st.nothing()),
        ip=_maybe(words.addresses, st.just("192.0.2.1")),
        roll=_rolls(groups),
    )


def rolls(router: Router) -> SearchStrategy[int]:
    """Rolls on and around the borders of the router's splits, and any others."""
    return _rolls(router.config["groups"])


def chains(router: Router) -> SearchStrategy[list[str]]:
    """Lines of services of one group, in any order, for `lane.testing` and `Router.trace`."""
    groups = [[service["host"] for service in group["services"]] for group in router.config["groups"]]
    return st.sampled_from([hosts for hosts in groups if hosts]).flatmap(
        lambda hosts: st.lists(st.sampled_from(hosts), min_size=1, max_size=len(hosts), unique=True)
    )


def _request(
    *,
    method: str | None,
    authority: str | None,
    path: str | None,
    headers: dict[str, str],
    cookies: dict[str, str],
    baggage: dict[str, str],
    labels: dict[str, str],
    service: str | None,
    ip: str | None,
    roll: int | None,
) -> Request:
    lines = list(headers.items())
    if cookies:
        lines.append(("cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    if baggage:
        lines.append(("baggage", ",".join(f"{name}={value}" for name, value in baggage.items())))
    source = Source(service=service, labels=labels, ip=ip) if service or labels or ip else None
    return Request(method=method, authority=authority, path=path, headers=lines, source=source, roll=roll)


@dataclass
class _Words:
    """What a configuration's conditions name, by attribute."""

    method: list[SearchStrategy[str]] = field(default_factory=list)
    path: list[SearchStrategy[str]] = field(default_factory=list)
    hosts: list[SearchStrategy[str]] = field(default_factory=list)
    services: list[SearchStrategy[str]] = field(default_factory=list)
    addresses: list[SearchStrategy[str]] = field(default_factory=list)
    headers: dict[str, list[SearchStrategy[str]]] = field(default_factory=dict)
    query: dict[str, list[SearchStrategy[str]]] = field(default_factory=dict)
    cookies: dict[str, list[SearchStrategy[str]]] = field(default_factory=dict)
    baggage: dict[str, list[SearchStrategy[str]]] = field(default_factory=dict)
    labels: dict[str, list[SearchStrategy[str]]] = field(default_factory=dict)

    def group(self, group: Mapping[str, Any]) -> None:
        lanes = [lane["name"] for lane in group["lanes"]]
        names = _near(lanes)
        self.add(self.headers, group.get("guiding_header", "x-asm-prefer-tag"), names)
        context = group.get("context")
        if isinstance(context, Mapping):
            if "baggage" in context:
                self.add(self.baggage, context["baggage"], names)
            else:
                self.trace(context["trace_id"])
        for lane in group["lanes"]:
            tag = lane.get("service_tag", lane["name"])
            self.add(self.labels, group.get("tag_label", "ASM_TRAFFIC_TAG"), st.just(tag))
        for service in group["services"]:
            self.services += [st.sampled_from([service["host"], *service.get("aliases", [])])]
        for rule in group.get("rules", []):
            self.rule(rule, names)

    def add(self, place: dict[str, list[SearchStrategy[str]]], name: str, values: SearchStrategy[str]) -> None:
        place.setdefault(name, []).append(values)

    def trace(self, header: str) -> None:
        ids = st.text("0123456789abcdef", min_size=32, max_size=32)
        if header.lower() == "traceparent":
            ids = ids.map(lambda id: f"00-{id}-e457b5a2e4d86bd1-01")
        elif header.lower() == "b3":
            ids = ids.map(lambda id: f"{id}-e457b5a2e4d86bd1-1")
        self.add(self.headers, header, ids)

    def rule(self, rule: Mapping[str, Any], names: SearchStrategy[str]) -> None:
        for host in rule.get("hosts", []):
            if host.startswith("*."):
                self.hosts += [
                    st.sampled_from([f"a{host[1:]}", host[2:], f"a.b{host[1:]}:8080", f"a{host[1:]}.example"])
                ]
            elif host != "*":
                self.hosts += [st.sampled_from([host, host.upper(), f"{host}:8080", f"a.{host}"])]
        for entry in rule.get("match", []):
            self.entry(entry)
        for kind, name in rule.get("lane_from", {}).items():
            self.add(self.by_kind(kind), name, names)
        sticky = rule.get("sticky", {})
        for key in sticky.get("keys", []):
            self.key(key)
        if "generate" in sticky:
            self.key({"cookie": sticky["generate"]["cookie"]})

    def by_kind(self, kind: str) -> dict[str, list[SearchStrategy[str]]]:
        return {"header": self.headers, "cookie": self.cookies, "query": self.query, "baggage": self.baggage}[kind]

    def key(self, key: Mapping[str, Any]) -> None:
        for kind, name in key.items():
            if kind == "source_ip":
                self.addresses += [st.ip_addresses().map(str)]
            elif kind == "trace_id":
                self.trace(name)
            else:
                self.add(self.by_kind(kind), name, st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True))

    def entry(self, entry: Mapping[str, Any]) -> None:
        for name, place in (("method", self.method), ("path", self.path)):
            if name in entry:
                place += [_matching(entry[name])]
        for name, places in (
            ("headers", self.headers),
            ("query", self.query),
            ("cookies", self.cookies),
            ("baggage", self.baggage),
        ):
            for key, matcher in entry.get(name, {}).items():
                self.add(places, key, _matching(matcher))
        source = entry.get("source", {})
        if "service" in source:
            self.services += [_matching(source["service"])]
        for name, matcher in source.get("labels", {}).items():
            self.add(self.labels, name, _matching(matcher))
        for network in source.get("ip", []):
            self.addresses += [st.ip_addresses(network=network).map(str) if "/" in network else st.just(network)]
        if "percent" in entry:
            self.key(entry["percent"]["of"])
        for inner in [*entry.get("all", []), *entry.get("any", []), *([entry["not"]] if "not" in entry else [])]:
            self.entry(inner)


def _matching(matcher: Mapping[str, Any]) -> SearchStrategy[str]:
    """Values that a matcher holds for, and values that it nearly holds for."""
    ((kind, inner),) = matcher.items()
    if kind in ("or_missing", "not"):
        return _matching(inner)
    if kind == "ignore_case":
        return _matching(inner).flatmap(lambda value: st.sampled_from([value, value.upper(), value.swapcase()]))
    if kind == "in":
        return _near(inner)
    if kind == "exact":
        return _near([inner])
    if kind == "present":
        return UNRELATED
    if kind == "range":
        bounds = [bound for bound in (inner.get("min"), inner.get("max")) if bound is not None]
        near = [str(bound + step) for bound in bounds for step in (-1, 0, 1)]
        return st.sampled_from([*near, f"+{bounds[0]}", f"{bounds[0]}.0", ""])
    if kind == "regex":
        return _of_regex(inner)
    more = st.sampled_from(["", "a", "/a", "?a"])
    if kind == "prefix":
        return st.one_of(st.builds(lambda end: inner + end, more), _near([inner]))
    if kind == "suffix":
        return st.one_of(st.builds(lambda start: start + inner, more), _near([inner]))
    if kind == "contains":
        return st.one_of(st.builds(lambda start, end: start + inner + end, more, more), _near([inner]))
    # segments
    stem = inner.rstrip("/")
    return st.sampled_from([inner, f"{stem}/a", f"{stem}a", f"{stem}/", stem[:-1] or "/"])


def _of_regex(pattern: str) -> SearchStrategy[str]:
    """Values of a regular expression, as far as Python reads it as RE2 does."""
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error:
        return UNRELATED
    # Header values hold no line breaks, and every engine is of another mind about the last one.
    drawn = st.from_regex(compiled, fullmatch=True).filter(lambda value: value.isprintable())
    return st.one_of(drawn, drawn.map(lambda value: value + "a"), UNRELATED)


def _near(values: Iterable[str]) -> SearchStrategy[str]:
    """These values mostly, and what nearly is one of them."""
    values = list(values)
    if not values:
        return UNRELATED
    near = [
        variant for value in values for variant in (value + "a", value[:-1], value.upper(), value.lower(), f" {value}")
    ]
    return st.one_of(st.sampled_from(values), st.sampled_from(values), st.sampled_from(near), UNRELATED)


def _maybe(known: list[SearchStrategy[str]], other: SearchStrategy[str]) -> SearchStrategy[str | None]:
    return st.one_of(st.none(), other, *known)


def _several(known: dict[str, list[SearchStrategy[str]]]) -> SearchStrategy[dict[str, str]]:
    """Some of the known names, each with a value that somebody asks for."""
    return st.fixed_dictionaries({}, optional={name: st.one_of(*values) for name, values in known.items()})


def _path(words: _Words) -> SearchStrategy[str | None]:
    path = st.one_of(st.just("/"), *words.path)
    query = _several(words.query).map(lambda query: "&".join(f"{name}={value}" for name, value in query.items()))
    both = st.builds(lambda path, query: f"{path}?{query}" if query else path, path, query)
    return st.one_of(st.none(), both, both, both)


def _rolls(groups: Iterable[Mapping[str, Any]]) -> SearchStrategy[int]:
    borders = {0, 2**64 - 1}
    for group in groups:
        for rule in group.get("rules", []):
            end = 0
            for share in rule.get("split", []):
                end += share["weight"]
                borders |= {max(end - 1, 0), end}
    return st.one_of(st.sampled_from(sorted(borders)), st.integers(0, 2**64 - 1))
