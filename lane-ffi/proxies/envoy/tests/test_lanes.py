"""What the module decides inside real Envoys, in every form that each version has."""

from __future__ import annotations

import pathlib
import unittest

from harness import EXAMPLES, ENVOYS, Envoy, Upstreams, by_filter_route, filter_routes, lane_filter, listener, specified_route, specifier_route

PERMISSIVE = EXAMPLES / "permissive.yaml"
STRICT = EXAMPLES / "strict.yaml"
CHAIN = [f"mock{letter}.default.svc.cluster.local" for letter in "abc"]

#: The module in every form: (version of Envoy, form).
FORMS = [(version, form) for version in ENVOYS for form in ("route", "specifier", "filter", "both") if form == "filter" or version >= "1.40"]


def member_clusters(members: dict[str, str]) -> list[str]:
    """The clusters of (service letter, lanes) as the template `{service}|{lane}` names them."""
    return [f"{CHAIN['abc'.index(letter)]}|{lane}" for letter, lanes in members.items() for lane in lanes.split()]


PERMISSIVE_CLUSTERS = member_clusters({"a": "v1 v2 v3", "b": "v1 v3", "c": "v1 v2"})
STRICT_CLUSTERS = member_clusters({"a": "s1 s2 s3", "b": "s1 s2 s3", "c": "s1 s2 s3"})


def front(form: str, name: str, settings: dict, passes_to=None, context=("version", "baggage"), remove=(), how="struct") -> dict:
    """A listener with the module in this form."""
    if form == "route":
        return listener(name, [specified_route(settings, passes_to, how=how)])
    if passes_to and form != "filter":
        settings = {**settings, "pass_cluster": passes_to}
    if form == "both":
        return listener(name, [by_filter_route()], [lane_filter(settings, how=how)])
    if form == "specifier":
        return listener(name, [specifier_route(settings, context=context, remove=remove, how=how)])
    return listener(name, filter_routes(passes_to), [lane_filter(settings, how=how)])


def gateway(plan: pathlib.Path, **more) -> dict:
    return {"role": "gateway", "gateway": "ingressgateway", "plan_file": str(plan), **more}


def outbound(plan: pathlib.Path, **more) -> dict:
    return {"role": "outbound", "plan_file": str(plan), **more}


class Forms(unittest.TestCase):
    """Runs a test in every form."""

    def in_every_form(self, run):
        self.assertTrue(FORMS, "no Envoy was given: run test.sh")
        for version, form in FORMS:
            with self.subTest(version=version, form=form):
                run(version, form)


class Permissive(Forms):
    def test_gateway_splits_and_marks(self):
        def run(version, form):
            with Upstreams() as upstreams:
                clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
                # The other way of giving a plan: a text inside Envoy's configuration.
                settings = {"role": "gateway", "gateway": "ingressgateway", "plan": PERMISSIVE.read_text()}
                with Envoy(version, [front(form, "main", settings)], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    counts = {"v1": 0, "v2": 0, "v3": 0}
                    for _ in range(400):
                        answer = client.get(headers=[("version", "v9"), ("baggage", "user=alice;p=1, version=v9,env=x")])
                        self.assertEqual(answer.status, 200)
                        lane = answer.cluster.rsplit("|", 1)[1]
                        self.assertEqual(answer.cluster, f"{CHAIN[0]}|{lane}")
                        # What the client sent as its lane is gone; the other members are as they were.
                        self.assertEqual(answer.header("version"), lane)
                        self.assertEqual(answer.header("baggage"), f"version={lane},user=alice;p=1,env=x")
                        self.assertIsNone(answer.header("x-lane-cluster"))
                        counts[lane] += 1
                    # 40:30:30 of 400; five standard deviations.
                    for lane, share in (("v1", 160), ("v2", 120), ("v3", 120)):
                        self.assertLess(abs(counts[lane] - share), 50, counts)

        self.in_every_form(run)

    def test_calls_follow_the_lane_and_fall_back(self):
        def run(version, form):
            with Upstreams() as upstreams:
                clusters = [upstreams.cluster(name) for name in [*PERMISSIVE_CLUSTERS, "elsewhere"]]
                with Envoy(version, [front(form, "main", outbound(PERMISSIVE), "elsewhere")], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health([*PERMISSIVE_CLUSTERS, "elsewhere"])
                    served = {"v1": "v1 v1 v1", "v2": "v2 v1 v2", "v3": "v3 v3 v1"}
                    for lane, lanes in served.items():
                        for host, serving in zip(CHAIN, lanes.split()):
                            # By the guiding header, and by baggage alone, from which the header is restored.
                            for headers in [[("version", lane)], [("baggage", f"a=1,version={lane}")]]:
                                answer = client.get(host=host, headers=headers)
                                self.assertEqual(answer.cluster, f"{host}|{serving}", (lane, host, headers))
                                self.assertEqual(answer.header("version"), lane)
                                member = [part for part in answer.header("baggage").split(",") if part.startswith("version=")]
                                self.assertEqual(member, [f"version={lane}"])
                    # No lane: the baseline serves, and the request stays without.
                    answer = client.get(host=CHAIN[1])
                    self.assertEqual((answer.cluster, answer.header("version"), answer.header("baggage")), (f"{CHAIN[1]}|v1", None, None))
                    # An alias, with port, in upper case.
                    self.assertEqual(client.get(host="MOCKB:8000", headers=[("version", "v3")]).cluster, f"{CHAIN[1]}|v3")
                    # An unknown lane goes to the baseline.
                    self.assertEqual(client.get(host="mockb", headers=[("version", "nope")]).cluster, f"{CHAIN[1]}|v1")
                    # What is no service of the plan's is left alone.
                    answer = client.get(host="db.example", headers=[("version", "v3"), ("x-lane-cluster", f"{CHAIN[1]}|v3")])
                    self.assertEqual((answer.cluster, answer.header("version")), ("elsewhere", "v3"))

        self.in_every_form(run)

    def test_a_sick_lane_falls_back_and_comes_back(self):
        def run(version, form):
            with Upstreams() as upstreams:
                clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
                with Envoy(version, [front(form, "main", outbound(PERMISSIVE))], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    own, baseline = f"{CHAIN[1]}|v3", f"{CHAIN[1]}|v1"

                    def served():
                        answer = client.get(host="mockb", headers=[("version", "v3")])
                        # The lane that is carried on does not change with a fallback.
                        self.assertIn(answer.header("version"), ("v3", None))
                        return answer.status, answer.cluster

                    self.assertEqual(served(), (200, own))
                    upstreams.set_healthy(own, False)
                    envoy.wait_for_health([own], 0)
                    self.assertEqual([served() for _ in range(5)], [(200, baseline)] * 5)
                    upstreams.set_healthy(baseline, False)
                    envoy.wait_for_health([baseline], 0)
                    self.assertEqual([served() for _ in range(5)], [(503, None)] * 5)
                    upstreams.set_healthy(own, True)
                    envoy.wait_for_health([own], 1)
                    self.assertEqual([served() for _ in range(5)], [(200, own)] * 5)
                    upstreams.set_healthy(baseline, True)
                    envoy.wait_for_health([baseline], 1)
                    self.assertEqual(served(), (200, own))

        self.in_every_form(run)

    def test_health_may_be_left_to_envoy(self):
        def run(version, form):
            with Upstreams() as upstreams:
                clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
                with Envoy(version, [front(form, "main", outbound(PERMISSIVE, health=False))], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    upstreams.set_healthy(f"{CHAIN[1]}|v3", False)
                    envoy.wait_for_health([f"{CHAIN[1]}|v3"], 0)
                    # Lane chooses v3 all the same, and Envoy has no endpoint there.
                    answer = client.get(host="mockb", headers=[("version", "v3")])
                    self.assertEqual((answer.status, answer.cluster), (503, None))
                    self.assertIn(b"no healthy upstream", answer.body)

        self.in_every_form(run)

    def test_a_cluster_that_is_not_there_has_no_endpoints(self):
        def run(version, form):
            with Upstreams() as upstreams:
                names = [name for name in PERMISSIVE_CLUSTERS if not name.endswith("|v3")]
                clusters = [upstreams.cluster(name) for name in names]
                with Envoy(version, [front(form, "main", outbound(PERMISSIVE))], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health(names)
                    self.assertEqual(client.get(host="mocka", headers=[("version", "v3")]).cluster, f"{CHAIN[0]}|v1")

        self.in_every_form(run)


class Strict(Forms):
    def test_lanes_are_never_left(self):
        def run(version, form):
            with Upstreams() as upstreams:
                clusters = [upstreams.cluster(name) for name in STRICT_CLUSTERS]
                front_settings = gateway(STRICT)
                sidecar = outbound(STRICT, workload={"service": "mocka", "labels": {"ASM_TRAFFIC_TAG": "v2"}})
                context = ("x-asm-prefer-tag",)
                listeners = [front(form, "main", front_settings, context=context), front(form, "sidecar", sidecar, context=context)]
                with Envoy(version, listeners, clusters) as envoy, envoy.client() as client, envoy.client("sidecar") as calls:
                    envoy.wait_for_health(STRICT_CLUSTERS)
                    for lane in ("s1", "s2", "s3"):
                        answer = client.get(headers=[("x-asm-prefer-tag", lane)])
                        self.assertEqual((answer.cluster, answer.header("x-asm-prefer-tag")), (f"{CHAIN[0]}|{lane}", lane))
                    for path, headers in [("/mock", []), ("/mock", [("x-asm-prefer-tag", "s9")]), ("/other", [("x-asm-prefer-tag", "s1")])]:
                        answer = client.get(path, headers)
                        self.assertEqual((answer.status, answer.cluster), (404, None), (path, headers))
                    # The path alone counts, the query does not.
                    self.assertEqual(client.get("/mock?a=1", [("x-asm-prefer-tag", "s1")]).status, 200)
                    # The workload's own lane comes before any header.
                    self.assertEqual(calls.get(host="mockb").cluster, f"{CHAIN[1]}|s2")
                    self.assertEqual(calls.get(host="mockb", headers=[("x-asm-prefer-tag", "s3")]).cluster, f"{CHAIN[1]}|s2")
                    sick = f"{CHAIN[1]}|s2"
                    upstreams.set_healthy(sick, False)
                    envoy.wait_for_health([sick], 0)
                    answer = calls.get(host="mockb")
                    self.assertEqual((answer.status, answer.cluster), (503, None))
                    upstreams.set_healthy(sick, True)
                    envoy.wait_for_health([sick], 1)
                    self.assertEqual(calls.get(host="mockb").cluster, sick)

        self.in_every_form(run)


PLAN = """
version: 1
groups:
  - name: one
    mode: strict
    gateways: [edge]
    guiding_header: X-One
    context: {baggage: one}
    services: [{host: web.svc}]
    lanes: [{name: a}, {name: b}]
    rules:
      - {name: from-here, service: web.svc, lane: b, match: [{headers: {x-try: {exact: here}}, source: {ip: [127.0.0.0/8]}}]}
      - {name: from-there, service: web.svc, lane: a, match: [{headers: {x-try: {exact: there}}, source: {ip: [10.0.0.0/8]}}]}
      - {name: any-line, service: web.svc, lane: b, match: [{headers: {x-many: {exact: last}}}]}
      - {name: bytes, service: web.svc, lane: b, match: [{headers: {x-bytes: {regex: "\\\\xff."}}}]}
      - {name: client, service: web.svc, match: [{headers: {x-sticky: {present: true}}}], split: [{lane: a, weight: 1}, {lane: b, weight: 1}], sticky: {generate: {cookie: lane-id, ttl_seconds: 60}}}
      - {name: rest, service: web.svc, lane: a, match: [{headers: {x-rest: {present: true}}}]}
  - name: two
    mode: strict
    gateways: [other]
    guiding_header: x-two
    context: {baggage: two}
    services: [{host: api.svc}]
    lanes: [{name: a}]
  - name: three
    mode: strict
    gateways: [edge]
    trust_client: true
    guiding_header: x-three
    context: {baggage: three}
    services: [{host: job.svc}]
    lanes: [{name: a}]
"""
CONTEXT = ("x-one", "x-two", "x-three", "baggage")


class Gateway(Forms):
    def with_plan(self, version, form, run):
        names = ["web.svc|a", "web.svc|b"]
        with Upstreams() as upstreams:
            settings = {"role": "gateway", "gateway": "edge", "plan": PLAN}
            main = front(form, "main", settings, context=CONTEXT, remove=CONTEXT)
            with Envoy(version, [main], [upstreams.cluster(name) for name in names]) as envoy, envoy.client() as client:
                envoy.wait_for_health(names)
                run(client)

    def test_lane_context_of_clients_is_removed(self):
        def run(client):
            sent = [("x-one", "b"), ("x-two", "a"), ("x-three", "a"), ("baggage", "k=1,one=b,two=a"), ("baggage", "three=a"), ("x-rest", "1")]
            answer = client.get(headers=sent)
            seen = [answer.header(name) for name in CONTEXT]
            # Group one decided; two does not trust clients; three does, and its context stays.
            self.assertEqual((answer.cluster, *seen), ("web.svc|a", "a", None, "a", "one=a,k=1,three=a"))
            # Bytes that are no text pass through.
            answer = client.get(headers=[("baggage", b"k=\xe4,one=b"), ("x-rest", "1")])
            self.assertEqual(answer.header("baggage"), "one=a,k=\xe4")
            # Nothing is left of a line that held nothing else, where no group decides.
            answer = client.get(headers=[("baggage", "two=a")])
            self.assertEqual(answer.status, 404)

        self.in_every_form(lambda version, form: self.with_plan(version, form, run))

    def test_conditions_see_the_request(self):
        def run(client):
            self.assertEqual(client.get(headers=[("x-try", "here")]).cluster, "web.svc|b")
            self.assertEqual(client.get(headers=[("x-try", "there")]).status, 404)
            self.assertEqual(client.get(headers=[("X-Many", "first"), ("X-Many", "last")]).cluster, "web.svc|b")
            self.assertEqual(client.get(headers=[("x-bytes", b"\xff\xfe")]).cluster, "web.svc|b")
            many = [(f"x-h{number}", "v" * 50) for number in range(90)]
            self.assertEqual(client.get(headers=[*many, ("x-many", "last")]).cluster, "web.svc|b")

        self.in_every_form(lambda version, form: self.with_plan(version, form, run))

    def test_a_client_keeps_its_lane_by_a_cookie(self):
        def run(client):
            lanes = set()
            for _ in range(24):
                first = client.get(headers=[("x-sticky", "1")])
                value, *attributes = first.cookie().split("; ")
                self.assertRegex(value, "^lane-id=[0-9a-f]{16}$")
                self.assertEqual(attributes, ["Max-Age=60", "Path=/", "HttpOnly"])
                lanes.add(first.cluster)
                again = client.get(headers=[("x-sticky", "1"), ("cookie", f"other=1; {value}")])
                self.assertEqual((again.cluster, again.cookie()), (first.cluster, None))
            self.assertEqual(lanes, {"web.svc|a", "web.svc|b"})

        self.in_every_form(lambda version, form: self.with_plan(version, form, run))


class TraceId(Forms):
    def test_a_sidecar_remembers_what_arrives(self):
        plan = EXAMPLES / "trace-id.yaml"
        web, api = "web.orders.svc.cluster.local", "api.orders.svc.cluster.local"

        def run(version, form):
            names = [f"{web}|base", f"{web}|gray", f"{api}|base", f"{api}|gray", "app"]
            inbound = {"role": "inbound", "plan_file": str(plan)}
            arrives = (
                listener("arrives", [specifier_route({**inbound, "pass_cluster": "app"}, context=("x-lane",))])
                if form == "specifier"
                else listener("arrives", [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}], [lane_filter(inbound)])
            )
            with Upstreams() as upstreams:
                calls = front(form, "main", outbound(plan, workload={"service": "web"}), context=("x-lane",))
                with Envoy(version, [arrives, calls], [upstreams.cluster(name) for name in names]) as envoy:
                    envoy.wait_for_health(names)
                    with envoy.client("arrives") as arrives_at, envoy.client() as client:
                        self.assertEqual(arrives_at.get(headers=[("x-lane", "gray"), ("x-b3-traceid", "80f1")]).cluster, "app")
                        # The workload passes on the trace id only.
                        answer = client.get(host="api", headers=[("x-b3-traceid", "80f1")])
                        self.assertEqual((answer.cluster, answer.header("x-lane")), (f"{api}|gray", "gray"))
                        self.assertEqual(client.get(host="api", headers=[("x-b3-traceid", "80f2")]).cluster, f"{api}|base")
                        self.assertEqual(client.get(host="api").cluster, f"{api}|base")

        self.in_every_form(run)


if __name__ == "__main__":
    unittest.main(verbosity=2)
