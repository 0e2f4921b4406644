// What a description says at a glance. Apart from the evaluator, so that the page need not load the engine for it.

import type { Description } from "lane/full";

/** The name under which the configuration is known in messages and exports. */
export const CONFIG_FILE = "lanes.yaml";

/** The gateways that a configuration names, in document order. */
export function gatewaysOf(description: Description): string[] {
  return [...new Set(description.groups.flatMap((group) => group.gateways ?? []))];
}

/** Lanes by service host: what `live` of a request may name. */
export function lanesOf(description: Description): Map<string, Set<string>> {
  const lanes = new Map<string, Set<string>>();
  for (const group of description.groups) {
    for (const service of group.services) {
      const known = lanes.get(service.host) ?? new Set();
      for (const lane of group.lanes) known.add(lane.name);
      lanes.set(service.host, known);
    }
  }
  return lanes;
}

/** The short name of a service: its first alias, or its host's first label. */
export function shortName(description: Description | null, host: string): string {
  for (const group of description?.groups ?? []) {
    const service = group.services.find((one) => one.host === host || one.aliases.includes(host));
    const alias = service?.aliases[0];
    if (alias) return alias;
    if (service) return service.host.startsWith("[") ? service.host : (service.host.split(".")[0] ?? service.host);
  }
  return host;
}
