"""The configurations of the README are run as they stand there."""

from __future__ import annotations

import pathlib
import re
import tempfile
import textwrap
import unittest

from harness import ENVOYS, HERE, Envoy, Upstreams
from test_lanes import CHAIN, PERMISSIVE, PERMISSIVE_CLUSTERS

BLOCKS = re.findall(r"```yaml\n(.*?)```", (HERE.parent / "README.md").read_text(), re.DOTALL)
PLAN = "/etc/lane/lanes.yaml"

LISTENER = """
- name: {name}
  address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
  filter_chains:
  - filters:
    - name: http
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: {name}
{manager}
"""
SPECIFIED = """
http_filters:
- name: router
  typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
route_config:
  virtual_hosts:
  - name: all
    domains: ["*"]
    {routes}
"""


class Yaml(Envoy):
    """An Envoy whose listeners are YAML text."""

    def __init__(self, version: str, listeners: str, clusters: list[dict]):
        super().__init__(version, [], clusters)
        self._listeners = listeners

    def _command(self, *more: str) -> list[str]:
        # Envoy merges this over the file.
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        text = "static_resources:\n  listeners:" + textwrap.indent(self._listeners, "  ")
        (folder / "listeners.yaml").write_text(text)
        return super()._command("--config-yaml", text, *more)


def manager(text: str) -> str:
    return textwrap.indent(text.replace(PLAN, str(PERMISSIVE)), " " * 8)


class Readme(unittest.TestCase):
    def test_its_configurations_run(self):
        gateway, settings, filtered, by_filter, specified = BLOCKS
        # The second block is what another role writes instead of the first one's settings.
        head, old = gateway.split("              role: gateway\n")
        self.assertIn("cluster:", old)
        outbound = re.sub(r"  request_headers_to_remove:.*\n", "", head) + settings
        as_routes = lambda routes: manager(SPECIFIED.format(routes=textwrap.indent(routes, "    ").strip()))
        # The filter's block with the one route in place of its own.
        filter_only, its_routes = filtered.split("    routes:\n")
        self.assertIn("cluster_header", its_routes)
        both = manager(filter_only + textwrap.indent(by_filter, "    "))
        listeners = "".join(
            LISTENER.format(name=name, manager=text)
            for name, text in [("gateway", as_routes(gateway)), ("outbound", as_routes(outbound)), ("filter", manager(filtered)), ("both", both), ("route", as_routes(specified))]
        )
        with Upstreams() as upstreams:
            names = [*PERMISSIVE_CLUSTERS, "original_destination", "elsewhere"]
            with Yaml(max(ENVOYS), listeners, [upstreams.cluster(name) for name in names]) as envoy:
                envoy.wait_for_health(names)
                for entrance in ("gateway", "filter", "both", "route"):
                    with envoy.client(entrance) as client:
                        answer = client.get(headers=[("version", "v9"), ("baggage", "a=1")])
                        lane = answer.header("version")
                        self.assertEqual((answer.cluster, answer.header("baggage")), (f"{CHAIN[0]}|{lane}", f"version={lane},a=1"))
                with envoy.client("outbound") as client:
                    self.assertEqual(client.get(host="mockb").cluster, f"{CHAIN[1]}|v1")
                    self.assertEqual(client.get(host="mockb", headers=[("version", "v3")]).cluster, f"{CHAIN[1]}|v3")
                    # The caller's own lane is v2, which mockb is not in, and mockc is.
                    self.assertEqual(client.get(host="mockc").cluster, f"{CHAIN[2]}|v2")
                    self.assertEqual(client.get(host="db").cluster, "original_destination")

    def test_its_message_is_the_real_one(self):
        said = re.search(r"refused: /etc/lane/lanes.yaml:\d+:\d+: (LANE.*)\n", (HERE.parent / "README.md").read_text())[1]
        with tempfile.TemporaryDirectory() as folder, Upstreams() as upstreams:
            plan = pathlib.Path(folder) / "lanes.yaml"
            plan.write_text(PERMISSIVE.read_text().replace("baseline: v1", "baseline: v7"))
            filtered = manager(BLOCKS[2]).replace(str(PERMISSIVE), str(plan))
            code, log = Yaml(max(ENVOYS), LISTENER.format(name="main", manager=filtered), [upstreams.cluster("elsewhere")]).validate()
        self.assertNotEqual(code, 0)
        self.assertIn(said, log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
