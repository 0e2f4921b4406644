// Large configurations, for figures and for patience.

/** A configuration with this many rules on paths, headers and cookies, one in twenty by a regular expression. */
export function manyRules(count) {
  const lines = ["version: 1", "groups:", "  - name: many", "    mode: permissive", "    gateways: [edge]", "    guiding_header: x-lane", "    context: {baggage: lane}", "    baseline: base", "    services:"];
  for (const name of ["web", "api", "cart", "stock", "pay"]) lines.push(`      - {host: ${name}.shop.svc.cluster.local, aliases: [${name}]}`);
  lines.push("    lanes:", "      - name: base");
  for (let i = 1; i <= 12; i += 1) lines.push(`      - {name: lane-${i}, services: [web.shop.svc.cluster.local, cart.shop.svc.cluster.local]}`);
  lines.push("    rules:");
  for (let i = 1; i < count; i += 1) {
    const kinds = [`path: {prefix: /api/v${i}}`, `headers: {x-user: {in: [u${i}, v${i}]}}`, `path: {segments: /team/${i}}`, `cookies: {team: {exact: team-${i}}}`];
    const kind = i % 20 === 0 ? `path: {regex: "/item/[0-9]+/r${i}"}` : kinds[i % 4];
    lines.push(`      - {name: rule-${i}, service: web.shop.svc.cluster.local, match: [{${kind}}], lane: lane-${(i % 12) + 1}}`);
  }
  lines.push("      - {name: everyone, service: web.shop.svc.cluster.local, split: [{lane: base, weight: 90}, {lane: lane-1, weight: 10}], sticky: {keys: [{cookie: uid}]}}");
  return `${lines.join("\n")}\n`;
}
