"""What an operator meets: plans that are refused, plans that change under load, panics, several threads."""

from __future__ import annotations

import json
import pathlib
import tempfile
import threading
import unittest

from harness import ENVOYS, PROBES, TYPE, Envoy, Upstreams, eventually, filter_routes, lane_filter, listener, route_config, specified_route, specifier_route
from test_lanes import CHAIN, FORMS, PERMISSIVE, PERMISSIVE_CLUSTERS, Forms, front, gateway, outbound

NEWEST = max(ENVOYS, default="")


def wrong_plan() -> str:
    """A plan with two mistakes, at known places."""
    text = PERMISSIVE.read_text().replace("baseline: v1", "baseline: v7").replace("lane: v3, weight: 30", "lane: v33, weight: 30")
    assert text.count("v7") == 1 and text.count("v33") == 1
    return text


def place(text: str, what: str) -> tuple[int, int]:
    """Line and column of a piece of text, from 1."""
    line = next(number for number, line in enumerate(text.splitlines(), 1) if what in line)
    return line, text.splitlines()[line - 1].index(what) + 1


class Refused(Forms):
    def refused(self, version, form, settings, how) -> str:
        with Upstreams() as upstreams:
            code, said = Envoy(version, [front(form, "main", settings, how=how)], [upstreams.cluster("a")]).validate()
        self.assertNotEqual(code, 0, said)
        return said

    def test_a_wrong_plan_is_told_with_its_places(self):
        text = wrong_plan()

        def run(version, form):
            said = self.refused(version, form, {"role": "outbound", "plan": text}, "struct")
            for what, name in [("v7", "baseline"), ("v33", "split")]:
                line, column = place(text, what)
                self.assertRegex(said, rf"`lanes` is refused: plan:{line}:{column}: LANE\d+: .*{name}.*`{what}`")

        self.in_every_form(run)

    def test_wrong_settings_are_told(self):
        wrong = {
            '{"role": "gateway", "gateway": "g", "plan": {"version": 1, "groups": []}, "palace": 1}': "unknown field `palace`",
            "role: outbound\nplan_file: /no/such/plan.yaml\n": "`/no/such/plan.yaml` cannot be read",
            "role: outbound\nplan: {version: 1, groups: []}\ncluster: '{service}'\n": "use `{service}` and `{lane}` or `{tag}`",
            "": "there is none",
        }

        def run(version, form):
            for settings, message in wrong.items():
                routes, filters = filter_routes(), [lane_filter(settings, how="text")]
                if form in ("route", "specifier"):
                    of_form = specified_route if form == "route" else specifier_route
                    routes, filters = [of_form(settings, how="text")], []
                # With both it is the filter that has settings.
                code, said = Envoy(version, [listener("main", routes, filters)], []).validate()
                self.assertNotEqual(code, 0)
                self.assertIn(f"`lanes` is refused: {message}" if not settings else message, said)

        self.in_every_form(run)

    def test_a_plan_may_be_a_tree_in_envoys_own_configuration(self):
        plan = {
            "version": 1,
            "groups": [
                {
                    "name": "shop",
                    "mode": "strict",
                    "services": [{"host": "web.svc"}],
                    "lanes": [{"name": "a"}],
                    "rules": [{"name": "all", "service": "web.svc", "lane": "a"}],
                }
            ],
        }

        def run(version, form):
            with Upstreams() as upstreams:
                main = front(form, "main", {"role": "gateway", "gateway": "g", "plan": plan}, context=("x-asm-prefer-tag",))
                with Envoy(version, [main], [upstreams.cluster("web.svc|a")]) as envoy, envoy.client() as client:
                    envoy.wait_for_health(["web.svc|a"])
                    self.assertEqual(client.get().header("x-asm-prefer-tag"), "a")

        self.in_every_form(run)

    def test_a_warning_is_logged_and_the_plan_is_taken(self):
        # A rule after one that holds for everything is never reached.
        text = PERMISSIVE.read_text() + "      - {name: late, service: mocka.default.svc.cluster.local, lane: v1}\n"

        def run(version, form):
            with Upstreams() as upstreams:
                settings = {"role": "gateway", "gateway": "ingressgateway", "plan": text}
                with Envoy(version, [front(form, "main", settings)], [upstreams.cluster("a")]) as envoy:
                    line, _ = place(text, "name: late")
                    self.assertRegex(envoy.log(), rf"lane: plan:{line}:\d+: LANE\d+: .*")

        self.in_every_form(run)


class Load:
    """Clients that do not stop asking."""

    def __init__(self, envoy: Envoy, clients: int, headers=()):
        self._stop = threading.Event()
        self.answers: list[tuple[int, str]] = []
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(envoy, headers), daemon=True) for _ in range(clients)]

    def _run(self, envoy, headers):
        try:
            with envoy.client() as client:
                while not self._stop.is_set():
                    answer = client.get(headers=headers)
                    self.answers.append((answer.status, answer.cluster))
        except BaseException as error:  # told by whoever stops
            self._errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]


@unittest.skipUnless(any(form == "specifier" for _, form in FORMS), "no Envoy with cluster specifiers was given")
class Reload(unittest.TestCase):
    def test_plans_change_under_load_and_wrong_ones_do_not(self):
        names = [f"{CHAIN[0]}|{lane}" for lane in ("v1", "v2", "v3")]

        def resource(route: dict) -> dict:
            return {"resources": [{"@type": TYPE + "envoy.config.route.v3.RouteConfiguration", **route_config([route])}]}

        def lanes(text: str) -> dict:
            return specifier_route({"role": "gateway", "gateway": "ingressgateway", "plan": text})

        def only(lane: str) -> str:
            text = PERMISSIVE.read_text()
            for other in ("v1", "v2", "v3"):
                weight = "40" if other == "v1" else "30"
                text = text.replace(f"lane: {other}, weight: {weight}", f"lane: {other}, weight: {100 if other == lane else 0}")
            return text

        with Upstreams() as upstreams, tempfile.TemporaryDirectory(prefix="lane-envoy-") as folder:
            path = pathlib.Path(folder) / "routes.json"

            def put_route(route: dict):
                temporary = path.with_suffix(".new")
                temporary.write_text(json.dumps(resource(route)))
                temporary.rename(path)

            def put(text: str):
                put_route(lanes(text))

            put(only("v1"))
            clusters = [upstreams.cluster(name) for name in names]
            with Envoy(NEWEST, [listener("main", rds=path)], clusters, concurrency=2) as envoy:
                envoy.wait_for_health(names)
                with Load(envoy, 4) as load:

                    def settled(lane: str):
                        return lambda: load.answers[-8:] == [(200, f"{CHAIN[0]}|{lane}")] * 8

                    eventually("lane v1 to serve", settled("v1"))
                    put(only("v2"))
                    eventually("lane v2 to serve", settled("v2"))
                    put(wrong_plan())
                    eventually("the wrong plan to be rejected", lambda: envoy.stats()["http.main.rds.routes.update_rejected"])
                    self.assertRegex(envoy.log(), r"`lanes` is refused: plan:\d+:\d+: LANE\d+")
                    eventually("lane v2 to serve all the same", settled("v2"))
                    # Without any use of the module Envoy closes it, and opens it again for the next.
                    put_route({"match": {"prefix": "/"}, "route": {"cluster": names[0]}})
                    eventually("a plain route to serve", settled("v1"))
                    for lane in ("v3", "v1", "v2", "v3"):
                        put(only(lane))
                        eventually(f"lane {lane} to serve", settled(lane))
                self.assertEqual({status for status, _ in load.answers}, {200})
                self.assertGreater(len(load.answers), 200)

    def test_health_flaps_while_threads_decide(self):
        with Upstreams() as upstreams:
            clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
            own = f"{CHAIN[0]}|v3"
            settings = outbound(PERMISSIVE, service="mocka")
            for form in ("route", "specifier", "filter", "both"):
                with self.subTest(form=form), Envoy(NEWEST, [front(form, "main", settings)], clusters, concurrency=2) as envoy:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    with Load(envoy, 4, [("version", "v3")]) as load:
                        for healthy in (False, True, False, True):
                            upstreams.set_healthy(own, healthy)
                            envoy.wait_for_health([own], int(healthy))
                            wanted = (200, own if healthy else f"{CHAIN[0]}|v1")
                            eventually(f"{wanted} to serve", lambda: load.answers[-8:] == [wanted] * 8)
                    self.assertEqual({answer for answer in load.answers}, {(200, own), (200, f"{CHAIN[0]}|v1")})


class Panics(Forms):
    def test_a_panic_is_an_answer_not_the_end(self):
        def run(version, form):
            with Upstreams() as upstreams:
                settings = outbound(PERMISSIVE, service="mocka", probe=True)
                clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
                with Envoy(version, [front(form, "main", settings)], clusters, modules=PROBES) as envoy, envoy.client() as client:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    for _ in range(3):
                        self.assertEqual(client.get(headers=[("x-lane-probe", "panic")]).status, 503)
                        self.assertEqual(client.get(headers=[("version", "v2")]).cluster, f"{CHAIN[0]}|v2")
                    self.assertTrue(envoy.is_alive())
                    self.assertIn("panicked", envoy.log())

        self.in_every_form(run)


class ManyRoutes(Forms):
    def test_routes_share_a_plan(self):
        def run(version, form):
            if form != "specifier":
                return
            with Upstreams() as upstreams:
                routes = [specifier_route(gateway(PERMISSIVE)) for _ in range(300)]
                for number, route in enumerate(routes[:-1]):
                    route["match"] = {"prefix": f"/only/{number}/"}
                clusters = [upstreams.cluster(name) for name in PERMISSIVE_CLUSTERS]
                with Envoy(version, [listener("main", routes)], clusters) as envoy, envoy.client() as client:
                    envoy.wait_for_health(PERMISSIVE_CLUSTERS)
                    for path in ("/only/0/x", "/only/298/x", "/mock"):
                        self.assertEqual(client.get(path).status, 200)

        self.in_every_form(run)


if __name__ == "__main__":
    unittest.main(verbosity=2)
