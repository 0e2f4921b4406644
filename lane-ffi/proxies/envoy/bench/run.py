"""What a request costs in Envoy: with a native route table, and with the module that decides the same.

For each number of rules one Envoy is started, with one worker and these listeners:

  native     N routes, each matching one value of a header, setting the guiding header and naming a cluster; those beside the
             baseline's are aggregate clusters, by which stock Envoy falls back to it as the module does
  no fallback  the same with plain clusters: a lane without healthy endpoints is an error
  route      one route with the module as route specifier; the plan has the same N rules
  specifier  one route with the module as cluster specifier
  filter     the module as HTTP filter and one route by `cluster_header`
  both       the filter decides, and one route with the specifier in the role `filter` takes its choice
  one route  a single static route that sets nothing: what no decision at all would cost

`wrk` sends requests over loopback whose header value walks through all N rules; another Envoy answers them. A round runs
every listener once, so that whatever else the machine does meets all of them. What counts is the processor time of the
Envoy under test, summed over its threads (/proc/PID/task/*/schedstat, nanoseconds), divided by the requests of that run;
the table shows medians over the rounds, and the median of the ratios to `native` within each round. On a machine that does
other things, a median is mostly these other things; the least of many rounds is nearest to what the work itself costs.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import harness  # noqa: E402

LANES = ["v1", "v2", "v3"]
HOST = "web.svc"
GUIDING = "x-asm-prefer-tag"
# The end of the names of clusters that fall back.
OR_BASELINE = "|or-baseline"
WALK = """
local number, requests = 0, {{}}
init = function()
  for i = 0, {count} - 1 do
    requests[i] = wrk.format("GET", "/mock", {{["x-user"] = "user-" .. i, ["user-agent"] = "wrk", ["accept"] = "*/*", ["Host"] = "www.example"}})
  end
end
request = function()
  number = (number + {step}) % {count}
  return requests[number]
end
"""


def lane_of(rule: int) -> str:
    return LANES[rule % len(LANES)]


def plan(count: int) -> dict:
    rules = [
        {"name": f"r{rule}", "service": HOST, "match": [{"headers": {"x-user": {"exact": f"user-{rule}"}}}], "lane": lane_of(rule)}
        for rule in range(count)
    ]
    group = {"name": "g", "mode": "permissive", "gateways": ["edge"], "guiding_header": GUIDING, "baseline": LANES[0]}
    group |= {"services": [{"host": HOST}], "lanes": [{"name": lane} for lane in LANES], "rules": rules}
    return {"version": 1, "groups": [group]}


def native_routes(count: int, fallback: str = "") -> list[dict]:
    """Routes to the lanes' clusters; those beside the baseline with this behind their names."""

    def route(rule: int) -> dict:
        lane = lane_of(rule)
        header = {"header": {"key": GUIDING, "value": lane}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        match = {"prefix": "/", "headers": [{"name": "x-user", "string_match": {"exact": f"user-{rule}"}}]}
        target = f"{HOST}|{lane}{fallback if lane != LANES[0] else ''}"
        return {"match": match, "request_headers_to_add": [header], "route": {"cluster": target}}

    return [route(rule) for rule in range(count)]


def specifier(settings: dict) -> list[dict]:
    route = harness.specifier_route(settings, context=(GUIDING,), how="text")
    # A native table with these rules sets no cookie either.
    del route["response_headers_to_add"]
    return [route]


def upstream() -> harness.Envoy:
    answer = [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]
    return harness.Envoy(max(harness.ENVOYS), [harness.listener("main", answer)], [])


def cluster(name: str, port: int) -> dict:
    endpoints = [{"lb_endpoints": [harness.endpoint(port)]}]
    return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def aggregate(name: str, clusters: list[str]) -> dict:
    config = {"@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig", "clusters": clusters}
    kind = {"name": "envoy.clusters.aggregate", "typed_config": config}
    return {"name": name, "connect_timeout": "1s", "lb_policy": "CLUSTER_PROVIDED", "cluster_type": kind}


def processor_ns(pid: int) -> int:
    """The time that all threads of a process had a processor."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def load(pid: int, port: int, script: pathlib.Path, seconds: int) -> float:
    """Microseconds of processor time a request."""
    before = processor_ns(pid)
    command = ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    spent = processor_ns(pid) - before
    counted = re.search(r"(\d+) requests in", said)
    requests = int(counted[1]) if counted else 0
    if "Non-2xx" in said or "Socket errors" in said or requests == 0 or done.returncode:
        raise SystemExit(f"the run is worth nothing:\n{said}")
    return spent / requests / 1000


def compare(count: int, rounds: int, seconds: int) -> dict[str, list[float]]:
    settings = {"role": "gateway", "gateway": "edge", "plan": plan(count)}
    with upstream() as answers, tempfile.TemporaryDirectory() as folder:
        port = answers.ports["main"]
        listeners = [
            harness.listener("native", native_routes(count, OR_BASELINE)),
            harness.listener("no fallback", native_routes(count)),
            harness.listener("route", [harness.specified_route(settings, how="text")]),
            harness.listener("specifier", specifier(settings)),
            harness.listener("filter", harness.filter_routes(), [harness.lane_filter(settings, how="text")]),
            harness.listener("both", [harness.by_filter_route()], [harness.lane_filter(settings, how="text")]),
            harness.listener("one route", [{"match": {"prefix": "/"}, "route": {"cluster": f"{HOST}|v1"}}]),
        ]
        clusters = [cluster(f"{HOST}|{lane}", port) for lane in LANES]
        clusters += [aggregate(f"{HOST}|{lane}{OR_BASELINE}", [f"{HOST}|{lane}", f"{HOST}|{LANES[0]}"]) for lane in LANES[1:]]
        script = pathlib.Path(folder) / "walk.lua"
        # A step that shares no divisor with the count visits all rules, far from each other.
        script.write_text(WALK.format(count=count, step=next(step for step in (7919, 7907) if count % step)))
        with harness.Envoy(max(harness.ENVOYS), listeners, clusters) as envoy:
            check(envoy, count)
            names = list(envoy.ports)
            for name in names:
                load(envoy.pid, envoy.ports[name], script, 1)
            figures: dict[str, list[float]] = {name: [] for name in names}
            for turn in range(rounds):
                # Each round begins with another listener.
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    figures[name].append(load(envoy.pid, envoy.ports[name], script, seconds))
            return figures


def check(envoy: harness.Envoy, count: int):
    """All must decide the same, or their costs say nothing: asked through a route that tells."""
    for name in ("native", "route", "specifier", "filter", "both"):
        for rule in {0, 1, 2, count // 2, count - 1}:
            before = envoy.stats()
            with envoy.client(name) as client:
                status = client.get(headers=[("x-user", f"user-{rule}")]).status
            key = f"cluster.{HOST}|{lane_of(rule)}.upstream_rq_total"
            if status != 200 or envoy.stats()[key] != before[key] + 1:
                raise SystemExit(f"{name} does not send user-{rule} to {lane_of(rule)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rules", default="3,1000", help="numbers of rules, separated by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3, help="how long each listener runs in a round")
    parser.add_argument("--json", action="store_true", help="all figures, instead of the table")
    options = parser.parse_args()
    every = {int(count): compare(int(count), options.rounds, options.seconds) for count in options.rules.split(",")}
    if options.json:
        print(json.dumps(every, indent=1))
        return
    head = f"Envoy {max(harness.ENVOYS)}, {options.rounds} rounds of {options.seconds} s, µs of processor time a request"
    print(f"{head}; load average {os.getloadavg()[0]:.1f}\n")
    print("| rules | listener | median | least | ratio to native | of the least |\n|---|---|---|---|---|---|")
    for count, figures in every.items():
        for name, values in figures.items():
            ratio = statistics.median(value / native for value, native in zip(values, figures["native"]))
            least = min(values) / min(figures["native"])
            print(f"| {count} | {name} | {statistics.median(values):.1f} | {min(values):.1f} | {ratio:.3f} | {least:.3f} |")


if __name__ == "__main__":
    main()
