"""The shared vectors through a real Envoy, as far as a request over HTTP can say what a vector says.

One listener stands for each configuration, gateway or called service, caller and set of endpoint counts; the cluster that
served, the status, the cookie and the headers at the upstream are compared with what a vector expects. What cannot be
expressed is counted with its reason, and the counts must add up to those of the manifest.
"""

from __future__ import annotations

import base64
import collections
import json
import re
import socket
import unittest

from harness import ENVOYS, PROBES, REPOSITORY, Envoy, Upstreams, by_filter_route, filter_routes, lane_filter, listener, specified_route, specifier_route

VECTORS = REPOSITORY / "tests" / "vectors"
#: A name that no pattern of the vectors matches, for requests without authority: only `*` holds for either.
NO_AUTHORITY = "no-authority.invalid"
#: Headers of HTTP itself, and those that Envoy sets.
NOT_OURS = re.compile(r"^(:.*|host|connection|content-length|transfer-encoding|te|upgrade|keep-alive|proxy-connection|expect|x-forwarded-proto|x-envoy-.*)$")


def mentions(value, *names: str) -> bool:
    """Whether a configuration has a field of one of these names."""
    if isinstance(value, dict):
        return any(name in names or mentions(inner, *names) for name, inner in value.items())
    return isinstance(value, list) and any(mentions(inner, *names) for inner in value)


def as_bytes(value) -> bytes:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def inexpressible(config: dict, case: dict) -> str | None:
    """Why a vector cannot be told by a request over HTTP, if so."""
    request, source = case["request"], case["request"].get("source", {})
    if "inbound" in request:
        return "nothing to see from outside"
    if "recorded" in request:
        return "Envoy sees all headers"
    if "remembered" in request:
        return "another request would have to come first"
    if case["expect"].get("outcome") == "undetermined" or "roll" not in request and mentions(config, "generate"):
        return "Envoy always has a roll"
    if "ingress" in request and source:
        return "a gateway does not know its caller's workload"
    if any(total > 1000 for lanes in request.get("live", {}).values() for total, _ in lanes.values()):
        return "more endpoints than fit here"
    if "method" not in request and mentions(config, "method") or "path" not in request and mentions(config, "path", "query"):
        return "HTTP has no request without method and path"
    if not re.fullmatch(rb"/[!-\"$-~]*", as_bytes(request.get("path", "/"))) or not re.fullmatch(r"[A-Z]+", request.get("method", "GET")):
        return "Envoy refuses such a method or path"
    if "authority" not in request and any(NO_AUTHORITY.endswith(host.lstrip("*")) for host in hosts_of(config) if host != "*"):
        return "HTTP has no request without authority"
    if not re.fullmatch(rb"[A-Za-z0-9.:\[\]*_-]+", as_bytes(request.get("authority", NO_AUTHORITY))):
        return "Envoy refuses such an authority"
    for name, value in request.get("headers", []):
        if NOT_OURS.match(name.lower()) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(rb"[\0-\x08\x0a-\x1f\x7f]", as_bytes(value)):
            return "Envoy owns or refuses such a header"
    return None


def hosts_of(config: dict) -> list[str]:
    return [host for group in config["groups"] for rule in group.get("rules", []) for host in rule.get("hosts", [])]


def subsets_of(config: dict) -> list[tuple[str, str, str]]:
    """Every (group, service, lane) that the configuration has."""
    subsets = []
    for group in config["groups"]:
        for lane in group["lanes"]:
            hosts = lane.get("services") or [service["host"] for service in group["services"]]
            subsets += [(group["name"], host, lane["name"]) for host in hosts]
    return subsets


def context_of(config: dict) -> tuple[list[str], list[str]]:
    """The headers that the module may set, and those among them that a gateway removes first."""
    guiding = {group.get("guiding_header", "x-asm-prefer-tag").lower() for group in config["groups"]} | {"baggage"}
    restored = {name.lower() for group in config["groups"] for name in group.get("restore_headers", [])}
    return sorted(guiding | restored), sorted(guiding)


class Place:
    """What one listener stands for, and the cases that it gets."""

    def __init__(self, number: int, config: dict, request: dict):
        self.name, self.config, self.cases = f"place-{number}", config, []
        self.live = request.get("live")
        # Places without counts share clusters that are healthy; others have their own.
        self.suffix = f"|{number}" if self.live else ""
        self.settings = {"plan": config, "probe": True, "pass_cluster": "pass", "cluster": "{group}|{service}|{lane}" + self.suffix}
        # Each remembers for itself: a vector knows of no requests before it.
        self.settings["trace_table"] = {"name": self.name, "capacity": 0}
        if "ingress" in request:
            self.settings |= {"role": "gateway", "gateway": request["ingress"]["gateway"]}
        else:
            self.settings |= {"role": "outbound", "service": request["hop"]["service"], "workload": request.get("source", {})}

    def listener(self, form: str) -> dict:
        context, removed = context_of(self.config)
        if form == "both":
            routes, filters = [by_filter_route()], [lane_filter(self.settings, how="text")]
        elif form == "route":
            routes, filters = [specified_route(self.settings, "pass", how="text")], []
        elif form == "specifier":
            remove = removed if self.settings["role"] == "gateway" else ()
            routes, filters = [specifier_route(self.settings, context=context, remove=remove, how="text")], []
        else:
            settings = {name: value for name, value in self.settings.items() if name != "pass_cluster"}
            routes, filters = filter_routes("pass"), [lane_filter(settings, how="text")]
        for route in routes:
            told = {"header": {"key": "x-cluster", "value": "%UPSTREAM_CLUSTER_RAW%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            route["response_headers_to_add"] = [*route.get("response_headers_to_add", []), told]
        return listener(self.name, routes, filters)

    def clusters(self, port: int) -> dict[str, dict]:
        clusters = {}
        for group, service, lane in subsets_of(self.config):
            total, healthy = (self.live or {}).get(service, {}).get(lane, (1, 1))
            name = f"{group}|{service}|{lane}{self.suffix}"
            clusters[name] = counted_cluster(name, port, total, healthy)
        return clusters


def counted_cluster(name: str, port: int, total: int, healthy: int) -> dict:
    """A cluster with so many endpoints, so many of them healthy: all of them one server, by its many addresses."""
    endpoints = []
    for number in range(total):
        ip = f"127.1.{number // 250}.{number % 250 + 1}"
        endpoint = {"address": {"socket_address": {"address": ip, "port_value": port}}}
        endpoints.append({"endpoint": endpoint, "health_status": "HEALTHY" if number < healthy else "UNHEALTHY"})
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }


class Raw:
    """Sends requests byte by byte as they are given."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._reader = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._reader.close()
        self._socket.close()

    def ask(self, request: dict) -> tuple[int, list[tuple[str, str]], list[tuple[str, str]]]:
        """Status, response headers, and the headers that the upstream saw."""
        lines = [f"{request.get('method', 'GET')} ".encode() + as_bytes(request.get("path", "/")) + b" HTTP/1.1"]
        lines.append(b"host: " + as_bytes(request.get("authority", NO_AUTHORITY)))
        lines += [name.encode() + b": " + as_bytes(value) for name, value in request.get("headers", [])]
        if "roll" in request:
            lines.append(f"x-lane-probe-roll: {request['roll']}".encode())
        try:
            self._socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            status = int(self._reader.readline().split()[1])
        except (ConnectionError, IndexError):
            return 0, [], []
        headers = []
        while line := self._reader.readline().strip():
            name, value = line.decode("latin-1").split(":", 1)
            headers.append((name.lower(), value.strip()))
        is_empty = request.get("method") == "HEAD"
        body = b"" if is_empty else self._reader.read(int(dict(headers).get("content-length", "0")))
        seen = json.loads(body)["headers"] if body.startswith(b"{") else []
        return status, headers, [(name.lower(), value) for name, value in seen]


def values(headers, name: str) -> list[str]:
    """All values of a header; several lines are one list."""
    return [part.strip() for key, value in headers if key == name for part in value.split(",") if part.strip()]


def text(value) -> str:
    return as_bytes(value).decode("latin-1")


def compare(form: str, case: dict, status: int, headers, seen) -> list[str]:
    """What came out otherwise than expected."""
    expect, request = case["expect"], case["request"]
    # The one thing that a specifier cannot do, see the README's limits.
    leaves_baggage = form == "specifier" and "hop" in request
    answered = dict(headers)
    cluster = answered.get("x-cluster", "")
    wrong = []

    def same(what: str, got, wanted):
        if got != wanted:
            wrong.append(f"{what}: wanted {wanted!r}, got {got!r}")

    outcome = expect["outcome"]
    same("status", status, {"no_route": 404, "unavailable": 503}.get(outcome, 200))
    if outcome == "pass":
        same("cluster", cluster, "pass")
    elif outcome in ("routed", "fell_back"):
        group, service, lane = (cluster.split("|") + ["", "", ""])[:3]
        if expect.get("subset"):
            same("lane of the endpoints", lane, expect["subset"]["lane"])
        if expect.get("service"):
            same("service", service, expect["service"])
        if expect.get("group"):
            same("group", group, expect["group"])
    if "set_cookie" in expect:
        cookie = expect["set_cookie"]
        wanted = cookie and f"{cookie['name']}={cookie['value']}; Max-Age={cookie['ttl_seconds']}; Path=/; HttpOnly"
        same("cookie", answered.get("set-cookie"), wanted)
    # Only what reached an upstream can be looked at there.
    if seen and "set_headers" in expect:
        changed = {name.lower(): text(value) for name, value in expect["set_headers"].items()}
        for name, value in changed.items():
            same(name, ",".join(values(seen, name)), ",".join(values([(name, value)], name)))
        if "remove_headers" in expect:
            sent = [(name.lower(), text(value)) for name, value in request.get("headers", [])]
            for name in {name for name, _ in sent} - set(changed):
                if leaves_baggage and name == "baggage" and name in expect["remove_headers"]:
                    continue
                kept = [] if name in expect["remove_headers"] else values(sent, name)
                # Equal lines of a header may become one.
                same(name, list(dict.fromkeys(values(seen, name))), list(dict.fromkeys(kept)))
    return wrong


class Vectors(unittest.TestCase):
    def test_the_vectors_come_out_in_envoy(self):
        skipped: collections.Counter = collections.Counter()
        places: dict[str, Place] = {}
        for path in sorted(VECTORS.glob("*/*.json")):
            vectors = json.loads(path.read_text())
            for case in vectors["cases"]:
                reason = inexpressible(vectors["config"], case)
                if reason:
                    skipped[reason] += 1
                    continue
                request = case["request"]
                key = json.dumps([str(path), *(request.get(part) for part in ("ingress", "hop", "source", "live"))], sort_keys=True)
                place = places.setdefault(key, Place(len(places), vectors["config"], request))
                place.cases.append((f"{path.parent.name}/{path.stem}/{case['name']}", case))
        count = sum(len(place.cases) for place in places.values())
        manifest = json.loads((VECTORS / "manifest.json").read_text())
        self.assertEqual(count + skipped.total(), manifest["cases"])
        # If most became inexpressible, this test would have become a different one.
        self.assertGreater(count, manifest["cases"] * 2 // 3, skipped)

        for form in ("route", "specifier", "filter", "both"):
            with self.subTest(form=form), Upstreams(every_address=True) as upstreams:
                port = upstreams.port("any")
                clusters = {"pass": counted_cluster("pass", port, 1, 1)}
                for place in places.values():
                    clusters |= place.clusters(port)
                listeners = [place.listener(form) for place in places.values()]
                wrong = []
                with Envoy(max(ENVOYS), listeners, list(clusters.values()), modules=PROBES) as envoy:
                    for place in places.values():
                        for name, case in place.cases:
                            with Raw(envoy.ports[place.name]) as raw:
                                wrong += [f"{name}: {what}" for what in compare(form, case, *raw.ask(case["request"]))]
                self.assertEqual(wrong, [], "\n" + "\n".join(wrong[:40]))
        told = "; ".join(f"{number} {reason}" for reason, number in skipped.most_common())
        print(f"\nvectors in Envoy: {count} of {manifest['cases']}, as route specifier, as cluster specifier, as filter and as both; not expressible: {told}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
