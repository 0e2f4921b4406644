"""Envoy's configuration of the gateway and of the sidecars, as plain data."""

from __future__ import annotations

TYPE = "type.googleapis.com/"

#: Where a workload's sidecar listens: for requests to the workload, and for the calls that it makes.
INBOUND, OUTBOUND, ADMIN = 8000, 15001, 15000
#: Where the workload itself listens.
WORKLOAD = 8080


def address(ip: str, port: int) -> dict:
    return {"socket_address": {"address": ip, "port_value": port}}


def cluster(name: str, ip: str, port: int, is_checked: bool) -> dict:
    """One endpoint. A checked one is asked for its health twice a second, and sick when it is silent twice."""
    checks = {
        "timeout": "3s",
        "interval": "0.5s",
        "no_traffic_interval": "0.5s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        # Without a host of its own the check names the cluster, and `|` may not stand in a host.
        "http_health_check": {"path": "/healthz", "host": "health"},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        # Without the first, a cluster whose endpoints are all sick would get requests all the same; without the second,
        # the threads that serve requests would hear of health up to a second later.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
        "health_checks": [checks] if is_checked else [],
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(ip, port)}}]}]},
    }


def lane_route(settings: dict, context: list[str], tells_lane: bool = False) -> dict:
    """The one route: the module chooses the cluster and says which value each context header gets."""

    def header(name: str, value: str) -> dict:
        return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}

    specifier = {
        "@type": TYPE + "envoy.extensions.router.cluster_specifiers.dynamic_modules.v3.DynamicModuleClusterSpecifier",
        "dynamic_module_config": {"name": "lane_envoy"},
        "specifier_name": "lanes",
        "specifier_config": {"@type": TYPE + "google.protobuf.Struct", "value": settings},
    }
    guiding = context[0]
    return {
        "match": {"prefix": "/"},
        "request_headers_to_add": [header(name, f"%METADATA(ROUTE:lane:{name})%") for name in context],
        # For the demo's table only: which lane the gateway chose.
        "response_headers_to_add": [header("x-lane", f"%METADATA(ROUTE:lane:{guiding})%")] if tells_lane else [],
        "route": {"inline_cluster_specifier_plugin": {"extension": {"name": "lane", "typed_config": specifier}}},
    }


def plain_route(cluster_name: str) -> dict:
    return {"match": {"prefix": "/"}, "route": {"cluster": cluster_name}}


def listener(name: str, ip: str, port: int, route: dict) -> dict:
    manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}}],
    }
    return {"name": name, "address": address(ip, port), "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}


def envoy(ip: str, listeners: list[dict], clusters: list[dict]) -> dict:
    return {"admin": {"address": address(ip, ADMIN)}, "static_resources": {"listeners": listeners, "clusters": clusters}}
