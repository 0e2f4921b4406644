"""A mesh on one machine: gateway, workloads and their sidecars, each at its own loopback address. See README.md."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import envoys

HERE = pathlib.Path(__file__).resolve().parent
CHAIN = ["mocka", "mockb", "mockc"]
GATEWAY = "ingressgateway"
#: In all, in seconds: a demo that hangs is a demo that failed.
DEADLINE = 180


@dataclass(frozen=True)
class Mode:
    """What differs between the two demos."""

    name: str
    #: The headers that carry a lane, the guiding header first.
    context: list[str]
    #: Versions by service.
    versions: dict[str, list[str]]
    #: Which version of each service serves a lane.
    table: dict[str, list[str]]
    #: What a client sends to get into a lane; none where the gateway splits.
    header: str | None
    #: The version of mockb that is stopped, and the row of its lane then; none: the lane does not serve.
    stopped: str
    lane_of_stopped: str
    row_without: list[str] | None
    is_instrumented: bool

    @property
    def plan(self) -> pathlib.Path:
        return HERE.parent / f"{self.name}.yaml"


PERMISSIVE = Mode(
    name="permissive",
    context=["version", "baggage"],
    versions={"mocka": ["v1", "v2", "v3"], "mockb": ["v1", "v3"], "mockc": ["v1", "v2"]},
    table={"v1": ["v1", "v1", "v1"], "v2": ["v2", "v1", "v2"], "v3": ["v3", "v3", "v1"]},
    header=None,
    stopped="v3",
    lane_of_stopped="v3",
    row_without=["v3", "v1", "v1"],
    is_instrumented=True,
)
STRICT = Mode(
    name="strict",
    context=["x-asm-prefer-tag"],
    versions={service: ["v1", "v2", "v3"] for service in CHAIN},
    table={"s1": ["v1"] * 3, "s2": ["v2"] * 3, "s3": ["v3"] * 3},
    header="x-asm-prefer-tag",
    stopped="v2",
    lane_of_stopped="s2",
    row_without=None,
    # The sidecar of a workload knows the lane; the application passes nothing on.
    is_instrumented=False,
)
MODES = {mode.name: mode for mode in (PERMISSIVE, STRICT)}


class Wrong(Exception):
    """Something did not come out as it must."""


@dataclass
class Pod:
    """A workload and its sidecar."""

    service: str
    version: str
    ip: str
    processes: list[subprocess.Popen] = field(default_factory=list)
    #: Whether it was stopped on purpose.
    is_stopped: bool = False

    @property
    def cluster(self) -> str:
        return f"{self.service}.default.svc.cluster.local|{self.version}"


def dies_with_parent():
    """Runs in a child before its program: the kernel ends it when the demo dies, however that happens."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Mesh:
    """Starts everything of one mode, and stops it."""

    def __init__(self, mode: Mode, options: argparse.Namespace, folder: pathlib.Path):
        self.mode, self.options, self.folder = mode, options, folder
        self.net = free_net()
        self.gateway = f"{self.net}.0.1"
        self.pods = [
            Pod(service, version, f"{self.net}.{CHAIN.index(service) + 1}.{version[1:]}")
            for service, versions in mode.versions.items()
            for version in versions
        ]
        self._started: list[subprocess.Popen] = []
        self._logs: dict[int, pathlib.Path] = {}

    def __enter__(self):
        try:
            self._start_envoy("gateway", self._gateway_config())
            for pod in self.pods:
                self.start(pod)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        stop(self._started)

    def pod(self, service: str, version: str) -> Pod:
        return next(pod for pod in self.pods if (pod.service, pod.version) == (service, version))

    def start(self, pod: Pod):
        pod.is_stopped = False
        pod.processes = [self._start_workload(pod), self._start_envoy(f"{pod.service}-{pod.version}", self._sidecar_config(pod))]

    def stop(self, pod: Pod):
        pod.is_stopped = True
        stop(pod.processes)

    def _start(self, name: str, command: list[str], environment: dict) -> subprocess.Popen:
        path = self.folder / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which then stops the others one by one.
                start_new_session=True,
                preexec_fn=dies_with_parent,
            )
        self._started.append(process)
        self._logs[process.pid] = path
        return process

    def _start_envoy(self, name: str, config: dict) -> subprocess.Popen:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(config, indent=1))
        command = [self.options.envoy, "-c", str(path), "--use-dynamic-base-id", "--disable-hot-restart", "--concurrency", "1"]
        modules = {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": self.options.module}
        return self._start(f"{name}-envoy", [*command, "--log-level", "warning"], modules)

    def _start_workload(self, pod: Pod) -> subprocess.Popen:
        program = pathlib.Path(self.options.services)
        environment = {"NAME": pod.service, "VERSION": pod.version, "IP": pod.ip, "PORT": str(envoys.WORKLOAD)}
        callee = callee_of(pod.service)
        if callee:
            environment |= {"UPSTREAM_URL": f"http://{callee}:8000/mock", "http_proxy": f"http://{pod.ip}:{envoys.OUTBOUND}"}
        command = [str(program / "python"), str(HERE / "mock.py")]
        if self.mode.is_instrumented:
            # What the operator of the demo's original sets: baggage is passed on, nothing is exported.
            none = {f"OTEL_{kind}_EXPORTER": "none" for kind in ("TRACES", "METRICS", "LOGS")}
            environment |= {"OTEL_PROPAGATORS": "baggage", **none}
            command = [str(program / "opentelemetry-instrument"), *command]
        return self._start(f"{pod.service}-{pod.version}", command, environment)

    def _called_clusters(self, service: str | None) -> list[dict]:
        """The clusters of the service that is called, one for each version that runs."""
        return [envoys.cluster(pod.cluster, pod.ip, envoys.INBOUND, True) for pod in self.pods if pod.service == service]

    def _settings(self, **more) -> dict:
        return {"plan_file": str(self.mode.plan), **more}

    def _gateway_config(self) -> dict:
        settings = self._settings(role="gateway", gateway=GATEWAY, cluster=CLUSTER)
        route = envoys.lane_route(settings, self.mode.context, tells_lane=True)
        # What a client sends as its lane never counts.
        route["request_headers_to_remove"] = self.mode.context
        return envoys.envoy(self.gateway, [envoys.listener("gateway", self.gateway, 8080, route)], self._called_clusters(CHAIN[0]))

    def _sidecar_config(self, pod: Pod) -> dict:
        inbound = envoys.listener("inbound", pod.ip, envoys.INBOUND, envoys.plain_route("workload"))
        workload = {"service": pod.service, "labels": {"ASM_TRAFFIC_TAG": pod.version}}
        settings = self._settings(role="outbound", workload=workload, cluster=CLUSTER)
        outbound = envoys.listener("outbound", pod.ip, envoys.OUTBOUND, envoys.lane_route(settings, self.mode.context))
        clusters = [envoys.cluster("workload", pod.ip, envoys.WORKLOAD, False), *self._called_clusters(callee_of(pod.service))]
        return envoys.envoy(pod.ip, [inbound, outbound], clusters)

    def wait_for_health(self, pods: list[Pod], is_healthy: bool) -> float:
        """Waits until every proxy that calls the pods sees them so; gives the seconds that it took."""
        began = time.monotonic()
        for pod in pods:
            for caller in self._callers(pod):
                while self._healthy(caller, pod) != is_healthy:
                    self._check_alive()
                    time.sleep(0.05)
        # The proxy's main thread knows; those that serve requests hear of it a moment later.
        time.sleep(0.2)
        return time.monotonic() - began

    def _callers(self, called: Pod) -> list[str]:
        if called.service == CHAIN[0]:
            return [self.gateway]
        return [pod.ip for pod in self.pods if callee_of(pod.service) == called.service and not pod.is_stopped]

    def _healthy(self, caller: str, called: Pod) -> bool | None:
        """What the caller's proxy thinks of the pod; none where it does not answer yet."""
        text = get(caller, envoys.ADMIN, "/stats?format=json&filter=membership_healthy")[1]
        with contextlib.suppress(json.JSONDecodeError):
            stats = {stat["name"]: stat["value"] for stat in json.loads(text).get("stats", []) if "name" in stat}
            name = f"cluster.{called.cluster}.membership_healthy"
            return stats[name] == 1 if name in stats else None
        return None

    def _check_alive(self):
        pods = [(pod.cluster, process) for pod in self.pods for process in pod.processes if not pod.is_stopped]
        for name, process in [("the gateway", self._started[0]), *pods]:
            if process.poll() is not None:
                log = self._logs[process.pid].read_text(errors="replace")[-3000:]
                raise Wrong(f"a process of {name} ended with {process.returncode}; its log:\n{log}")


#: How the module names clusters: by service tag, as pods are labelled. The demo's clusters have short names.
CLUSTER = "{service}|{tag}"


def callee_of(service: str) -> str | None:
    position = CHAIN.index(service) + 1
    return CHAIN[position] if position < len(CHAIN) else None


def free_net() -> str:
    """127.N with nobody on it, so that demos may run side by side. All of 127/8 is this machine on Linux."""
    first = 16 + os.getpid() % 200
    for number in [*range(first, 240), *range(16, first)]:
        with socket.socket() as probe:
            try:
                probe.bind((f"127.{number}.0.1", 8080))
                return f"127.{number}"
            except OSError:
                continue
    raise Wrong("no free loopback network between 127.16 and 127.239")


def stop(processes: list[subprocess.Popen]):
    """Ends processes: asks all, waits a little, and insists."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    end = time.monotonic() + 3
    for process in running:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(ip: str, port: int, path: str, headers: dict | None = None) -> tuple[int, str, str | None]:
    """Status, body, and the lane that the gateway tells."""
    connection = http.client.HTTPConnection(ip, port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.getheader("x-lane")
    except OSError:
        return 0, "", None
    finally:
        connection.close()


@dataclass
class Row:
    """The answers that the requests of one lane got."""

    lane: str
    answers: list[tuple[int, str]]

    def versions(self) -> list[list[str]]:
        """The different chains of versions, as they were told."""
        return sorted({tuple(part.split(",")[0] for part in text.split("(version: ")[1:]) for _, text in self.answers})


def ask(mesh: Mesh, lanes: list[str], count: int) -> tuple[dict[str, Row], Counter]:
    """Sends requests until each of the lanes got `count`, four at a time; also tells how many went into every lane."""
    rows = {lane: Row(lane, []) for lane in lanes}
    shares: Counter = Counter()
    lock = threading.Lock()
    failures: list[BaseException] = []
    # A lane with the smallest share gets its requests long before; more would mean that it gets none at all.
    most = count * 40

    def missing() -> str | None:
        return next((lane for lane, row in rows.items() if len(row.answers) < count), None)

    def work():
        try:
            while True:
                with lock:
                    lane = missing()
                    if lane is None or failures:
                        return
                    if shares.total() >= most:
                        raise Wrong(f"after {most} requests lane {lane} got {len(rows[lane].answers)}")
                headers = {mesh.mode.header: lane} if mesh.mode.header else {}
                status, text, told = get(mesh.gateway, 8080, "/mock", headers)
                with lock:
                    # A lane that is asked for by name is the one that counts, whatever the gateway says.
                    lane = lane if mesh.mode.header else told
                    shares[lane] += 1
                    if lane in rows and len(rows[lane].answers) < count:
                        rows[lane].answers.append((status, text))
        except BaseException as failure:  # handed on to whoever waits
            failures.append(failure)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return rows, shares


def say(text: str = ""):
    print(text, flush=True)


def show_row(mode: Mode, lane: str, row: list[str]) -> str:
    """A row of the table; a version that is not the lane's own has fallen back."""
    own = mode.table[lane][0]
    cells = [version if version == own else f"{version} (falls back)" for version in row]
    return f"| {lane} | {' | '.join(cells)} |"


def check_rows(mode: Mode, rows: dict[str, Row], wanted: dict[str, list[str] | None]):
    """Shows the table, and fails unless all answers of a lane came through the wanted versions; none: no answer at all."""
    say(f"| lane | {' | '.join(CHAIN)} |")
    say("|---" * 4 + "|")
    problems = []
    for lane, row in rows.items():
        chains = row.versions()
        statuses = sorted({status for status, _ in row.answers})
        if wanted[lane] is None:
            # The entrance of the lane still serves; the call that fails is answered with 503, and nobody else steps in.
            say(f"| {lane} | {mode.table[lane][0]} | 503 | |")
            as_wanted = statuses == [503] and chains == [(mode.table[lane][0],)]
        else:
            for chain in chains:
                say(show_row(mode, lane, list(chain)))
            as_wanted = statuses == [200] and chains == [tuple(wanted[lane])]
        if not as_wanted:
            sample = next((answer for answer in row.answers if answer[0] != 200), row.answers[0])
            problems.append(f"lane {lane}: wanted {wanted[lane]}, got {chains} with status {statuses}, for example {sample}")
    if problems:
        raise Wrong("\n".join(problems))


def demonstrate(mesh: Mesh, count: int, shows_samples: bool):
    """The story of one mode."""
    mode = mesh.mode
    began = time.monotonic()
    mesh.wait_for_health(mesh.pods, True)
    say(f"## {mode.name}: {len(mesh.pods)} workloads, their sidecars and a gateway are up after {time.monotonic() - began:.1f} s")
    say()
    lanes = list(mode.table)
    rows, shares = ask(mesh, lanes, count)
    if shows_samples:
        for row in rows.values():
            for _, text in row.answers[:2]:
                say(text)
        say()
    say(f"{count} requests a lane:")
    check_rows(mode, rows, dict(mode.table))
    if mode.header is None:
        parts = ", ".join(f"{lane} {100 * shares[lane] / shares.total():.0f} %" for lane in lanes)
        say(f"The gateway's split, over {shares.total()} requests: {parts}.")
    else:
        for path, headers, why in [("/other", {mode.header: lanes[0]}, "another path"), ("/mock", {mode.header: "s9"}, "another value")]:
            status = get(mesh.gateway, 8080, path, headers)[0]
            say(f"{why}: {status}")
            if status != 404:
                raise Wrong(f"{why} was answered with {status} instead of 404")
    say()

    pod = mesh.pod("mockb", mode.stopped)
    mesh.stop(pod)
    seconds = mesh.wait_for_health([pod], False)
    say(f"mockb {pod.version} is stopped, its callers noticed after {seconds:.1f} s; {count} requests a lane:")
    rows, _ = ask(mesh, lanes, count)
    check_rows(mode, rows, {**mode.table, mode.lane_of_stopped: mode.row_without})
    say()

    mesh.start(pod)
    seconds = mesh.wait_for_health([pod], True)
    say(f"mockb {pod.version} runs again, its callers noticed after {seconds:.1f} s; {count} requests a lane:")
    rows, _ = ask(mesh, lanes, count)
    check_rows(mode, rows, dict(mode.table))
    say()


def interrupted(number: int, _frame):
    if number == signal.SIGALRM:
        raise Wrong(f"not done after {DEADLINE} s")
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="run", description="Traffic lanes through real Envoys, without docker.")
    parser.add_argument("modes", nargs="*", metavar="MODE", help="permissive, strict (default: both)")
    parser.add_argument("--check", action="store_true", help="leave the sample lines out")
    parser.add_argument("-n", type=int, default=100, metavar="REQUESTS", help="requests a lane (default: 100)")
    for name in ("envoy", "services", "module"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [mode for mode in options.modes if mode not in MODES]
    if unknown:
        parser.error(f"`{unknown[0]}` is no mode; there are {', '.join(MODES)}")
    if options.n < 1:
        parser.error("-n: at least one request")

    signal.signal(signal.SIGALRM, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    signal.alarm(DEADLINE)
    try:
        for name in options.modes or MODES:
            with tempfile.TemporaryDirectory(prefix="lane-mesh-") as folder, Mesh(MODES[name], options, pathlib.Path(folder)) as mesh:
                demonstrate(mesh, options.n, not options.check)
    except Wrong as wrong:
        print(f"examples/mesh/run: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("examples/mesh/run: interrupted; everything is stopped", file=sys.stderr)
        return 130
    say("Everything came out as it must, and everything is stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
