"""Real Envoys, tiny upstreams and a client for the tests of the module; standard library only.

Everything listens on loopback at ports that the system chooses, and everything that is started is stopped.
"""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[3]
EXAMPLES = REPOSITORY / "examples"

#: Set by test.sh: the folder with the module, the one with the module that tests can make panic, and the Envoys.
MODULES = pathlib.Path(os.environ.get("LANE_ENVOY_MODULES", "missing"))
PROBES = pathlib.Path(os.environ.get("LANE_ENVOY_PROBES", "missing"))
ENVOYS = json.loads(os.environ.get("LANE_ENVOYS", "{}"))

#: As long as anything may take that should happen soon, in seconds.
PATIENCE = 20.0

TYPE = "type.googleapis.com/"
SPECIFIER = TYPE + "envoy.extensions.router.cluster_specifiers.dynamic_modules.v3.DynamicModuleClusterSpecifier"
ROUTE_SPECIFIER = TYPE + "envoy.extensions.router.route_specifiers.dynamic_modules.v3.DynamicModuleRouteSpecifier"
FILTER = TYPE + "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"


def eventually(what, check, patience: float = PATIENCE):
    """Waits until `check` gives something true, and gives it; fails by name when it never does."""
    end = time.monotonic() + patience
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s in vain for: {what}")
        time.sleep(0.05)


class Upstreams:
    """One endpoint for each cluster name; it tells its name and the headers that reached it."""

    def __init__(self, every_address: bool = False):
        # Still this machine only: whoever asks for every address means those of 127/8, which Linux all has.
        self._address = "0.0.0.0" if every_address else "127.0.0.1"
        self._servers: dict[str, ThreadingHTTPServer] = {}
        self._down: set[str] = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def port(self, cluster: str) -> int:
        if cluster not in self._servers:
            down = self._down

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                # A response in one packet; otherwise it waits for the client's delayed acknowledgement.
                wbufsize = -1
                disable_nagle_algorithm = True

                def do_GET(self):
                    body = json.dumps({"cluster": cluster, "path": self.path, "headers": self.headers.items()}).encode()
                    self.send_response(503 if cluster in down and self.path == "/healthz" else 200)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = do_GET

                def log_message(self, *_):
                    pass

            class Server(ThreadingHTTPServer):
                def handle_error(self, *_):
                    # Envoy drops its connections when it ends.
                    pass

            server = Server((self._address, 0), Handler)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
            self._servers[cluster] = server
        return self._servers[cluster].server_address[1]

    def set_healthy(self, cluster: str, healthy: bool):
        (self._down.discard if healthy else self._down.add)(cluster)

    def cluster(self, name: str) -> dict:
        """Envoy's configuration of the cluster, with active health checks."""
        return {
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            # Otherwise a cluster without a healthy endpoint would send requests to the sick ones.
            # Workers are to hear of health at once; by default up to a second passes.
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}, "update_merge_window": "0s"},
            "health_checks": [
                {
                    "timeout": "1s",
                    "interval": "0.1s",
                    "no_traffic_interval": "0.1s",
                    "healthy_threshold": 1,
                    "unhealthy_threshold": 1,
                    "http_health_check": {"path": "/healthz"},
                }
            ],
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint(self.port(name))]}]},
        }


def endpoint(port: int) -> dict:
    return {"endpoint": {"address": address(port)}}


def address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def as_config(settings, how: str = "struct") -> dict:
    """The module's settings inside Envoy's configuration: as a tree, or as text."""
    if how == "struct":
        return {"@type": TYPE + "google.protobuf.Struct", "value": settings}
    return {"@type": TYPE + "google.protobuf.StringValue", "value": settings if isinstance(settings, str) else json.dumps(settings)}


def specifier_route(settings, context=("version", "baggage"), remove=(), how="struct", name="lanes") -> dict:
    """A route whose cluster the module chooses; `context` are the headers that carry a lane."""
    overwrite = "OVERWRITE_IF_EXISTS_OR_ADD"
    added = [{"header": {"key": key, "value": f"%METADATA(ROUTE:lane:{key})%"}, "append_action": overwrite} for key in context]
    cookie = {"header": {"key": "set-cookie", "value": "%METADATA(ROUTE:lane:set-cookie)%"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
    return {
        "match": {"prefix": "/"},
        "request_headers_to_remove": list(remove),
        "request_headers_to_add": added,
        "response_headers_to_add": [cookie],
        "route": {
            "inline_cluster_specifier_plugin": {
                "extension": {
                    "name": "lane",
                    "typed_config": {
                        "@type": SPECIFIER,
                        "dynamic_module_config": {"name": "lane_envoy"},
                        "specifier_name": name,
                        "specifier_config": as_config(settings, how),
                    },
                }
            }
        },
    }


def specified_route(settings, passes_to=None, how="struct", name="lanes") -> dict:
    """A route that the module changes as route specifier; what lane leaves alone goes to `passes_to`."""
    otherwise = {"cluster": passes_to} if passes_to else {"cluster": "lane_pass", "cluster_not_found_response_code": "NOT_FOUND"}
    config = {
        "@type": ROUTE_SPECIFIER,
        "dynamic_module_config": {"name": "lane_envoy", "do_not_close": True},
        "specifier_name": name,
        "specifier_config": as_config(settings, how),
        "stat_prefix": "lane",
        "failure_policy": "NO_ROUTE",
    }
    return {"match": {"prefix": "/"}, "route": otherwise, "route_specifiers": [{"name": "lane", "typed_config": config}]}


def filter_routes(passes_to=None) -> list[dict]:
    """Routes for the filter: by its header where it is there, else to `passes_to`."""
    routes = [
        {
            "match": {"prefix": "/", "headers": [{"name": "x-lane-cluster", "present_match": True}]},
            "request_headers_to_remove": ["x-lane-cluster"],
            "route": {"cluster_header": "x-lane-cluster"},
        }
    ]
    if passes_to:
        routes.append({"match": {"prefix": "/"}, "route": {"cluster": passes_to}})
    return routes


def by_filter_route() -> dict:
    """A route whose cluster the filter chooses, without a header in between."""
    route = specifier_route({"role": "filter"}, context=())
    del route["response_headers_to_add"]
    return route


def lane_filter(settings, how="struct", name="lanes") -> dict:
    return {
        "name": "lane",
        "typed_config": {
            "@type": FILTER,
            "dynamic_module_config": {"name": "lane_envoy"},
            "filter_name": name,
            "filter_config": as_config(settings, how),
        },
    }


def route_config(routes: list[dict]) -> dict:
    # A route may name a cluster that is not there, to answer 404 by it.
    return {"name": "routes", "validate_clusters": False, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


def listener(name: str, routes=None, filters=(), rds=None) -> dict:
    """An HTTP listener with these routes, or with those in the file `rds`."""
    manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [
            *filters,
            {"name": "router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}},
        ],
    }
    if rds:
        source = {"path_config_source": {"path": str(rds), "watched_directory": {"path": str(rds.parent)}}, "resource_api_version": "V3"}
        manager["rds"] = {"route_config_name": "routes", "config_source": source}
    else:
        manager["route_config"] = route_config(routes)
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": address(0), "filter_chains": [chain]}


class Envoy:
    """A running Envoy of one version."""

    def __init__(self, version: str, listeners: list[dict], clusters: list[dict], modules=MODULES, concurrency=1):
        self.version = version
        self._config = {
            "admin": {"address": address(0)},
            "static_resources": {"listeners": listeners, "clusters": clusters},
        }
        self._modules = modules
        self._concurrency = concurrency
        self._folder = tempfile.TemporaryDirectory(prefix="lane-envoy-")
        self.folder = pathlib.Path(self._folder.name)
        self._process = None

    def _command(self, *more: str) -> list[str]:
        (self.folder / "envoy.json").write_text(json.dumps(self._config))
        return [
            ENVOYS[self.version],
            *("-c", str(self.folder / "envoy.json")),
            *("--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", str(self._concurrency)),
            # Without these Envoy takes no configuration from files that change.
            *("--service-node", "test", "--service-cluster", "test"),
            *("--log-level", "warning", "--component-log-level", "dynamic_modules:info"),
            *more,
        ]

    def _environment(self) -> dict:
        return {**os.environ, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(self._modules)}

    def validate(self) -> tuple[int, str]:
        """Lets Envoy check its configuration only: exit code and everything that was said."""
        command = self._command("--mode", "validate")
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        self._folder.cleanup()
        return done.returncode, done.stdout + done.stderr

    def log(self) -> str:
        """Everything that Envoy said so far."""
        return (self.folder / "output").read_text(errors="replace")

    def __enter__(self):
        admin = self.folder / "admin"
        command = self._command("--admin-address-path", str(admin))
        self._output = (self.folder / "output").open("wb")
        self._process = subprocess.Popen(command, env=self._environment(), stdout=self._output, stderr=self._output)
        try:
            eventually("Envoy's admin port", lambda: self._alive() and admin.exists() and admin.read_text())
            self.admin = int(admin.read_text().rsplit(":", 1)[1])
            eventually("Envoy to be ready", lambda: self._alive() and self._ask("/ready")[0] == 200)
            listeners = json.loads(self._ask("/listeners?format=json")[1])["listener_statuses"]
            self.ports = {one["name"]: one["local_address"]["socket_address"]["port_value"] for one in listeners}
        except BaseException:
            self.__exit__()
            raise
        return self

    def _alive(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"Envoy {self.version} ended with {self._process.returncode}:\n{self.log()}")
        return True

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()
        self._folder.cleanup()

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def stats(self) -> dict[str, int]:
        lines = self._ask("/stats")[1].decode().splitlines()
        pairs = (line.rsplit(": ", 1) for line in lines if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def healthy(self, cluster: str) -> int:
        return self.stats().get(f"cluster.{cluster}.membership_healthy", 0)

    def wait_for_health(self, clusters, healthy: int = 1):
        for cluster in clusters:
            eventually(f"{cluster} to have {healthy} healthy endpoints", lambda: self.healthy(cluster) == healthy)

    def client(self, name: str = "main") -> "Client":
        return Client(self.ports[name])


class Answer:
    """A response, and what the upstream saw of the request."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes):
        self.status, self.headers, self.body = status, headers, body
        seen = json.loads(body) if body.startswith(b"{") else {}
        self.cluster = seen.get("cluster")
        self.path = seen.get("path")
        self.seen = [(name.lower(), value) for name, value in seen.get("headers", [])]

    def header(self, name: str) -> str | None:
        """What the upstream saw of a header; all lines, joined."""
        values = [value for key, value in self.seen if key == name]
        return ",".join(values) if values else None

    def cookie(self) -> str | None:
        values = [value for key, value in self.headers if key.lower() == "set-cookie"]
        return values[0] if values else None


class Client:
    """Sends requests over one connection."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def get(self, path: str = "/mock", headers=(), host: str = "www.example") -> Answer:
        connection = self._connection
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", host)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())


def shuffled(items, seed: int = 7) -> list:
    items = list(items)
    random.Random(seed).shuffle(items)
    return items
