// Which subsets are up: a switch each, or the counts behind it.

import { useState } from "preact/hooks";
import { shortName } from "../engine/facts";
import { description, live } from "../state/store";
import { shownGroup } from "../state/view";

/** Lanes beyond these are in the configuration, but no switches for them are drawn. */
const MAX_LANES = 30;
const MAX_SERVICES = 30;

export function setCounts(service: string, lane: string, counts: [number, number] | null): void {
  const lanes = { ...live.value[service] };
  if (counts) lanes[lane] = counts;
  else delete lanes[lane];
  const next = { ...live.value };
  if (Object.keys(lanes).length > 0) next[service] = lanes;
  else delete next[service];
  live.value = next;
}

/** Up and not listed are the same to the engine; so a subset that is switched on again is not listed. */
export function toggle(service: string, lane: string): void {
  const now = live.value[service]?.[lane];
  setCounts(service, lane, now && now[1] === 0 ? null : [now?.[0] || 1, 0]);
}

export function Endpoints() {
  const [isCounting, setCounting] = useState(false);
  const group = shownGroup.value;
  if (!group) return null;
  const hasPart = Object.values(live.value).some((lanes) => Object.values(lanes).some(([all, healthy]) => healthy > 0 && healthy < all));
  const services = group.services.slice(0, MAX_SERVICES);
  const showCounts = isCounting || hasPart;
  return (
    <fieldset class="endpoints">
      <legend>
        Endpoints
        <label class="check">
          <input type="checkbox" checked={showCounts} disabled={hasPart && !isCounting} onChange={(event) => setCounting(event.currentTarget.checked)} /> counts
        </label>
        {Object.keys(live.value).length > 0 && (
          <button type="button" class="quiet small" onClick={() => (live.value = {})}>
            All up
          </button>
        )}
      </legend>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Endpoints of group ${group.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">Lane</span>
              </th>
              {services.map((service) => (
                <th scope="col" key={service.host} title={service.host}>
                  {shortName(description.value, service.host)}
                  {service.min_healthy_percent > 0 && <span class="hint">≥ {service.min_healthy_percent} %</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {group.lanes.slice(0, MAX_LANES).map((lane) => (
              <tr key={lane.name}>
                <th scope="row" title={lane.name}>
                  {lane.name}
                </th>
                {services.map((service) => (
                  <td key={service.host}>
                    {lane.subsets.some((subset) => subset.service === service.host) ? (
                      showCounts ? (
                        <Counts service={service.host} lane={lane.name} />
                      ) : (
                        <Switch service={service.host} lane={lane.name} />
                      )
                    ) : (
                      <span class="absent" title="not in lane">
                        –<span class="visually-hidden"> not in lane</span>
                      </span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(group.lanes.length > MAX_LANES || group.services.length > MAX_SERVICES) && <p class="hint">What is not listed counts as up.</p>}
    </fieldset>
  );
}

function Switch({ service, lane }: { service: string; lane: string }) {
  const counts = live.value[service]?.[lane];
  const isUp = !counts || counts[1] > 0;
  const name = `${shortName(description.value, service)} in ${lane}`;
  return (
    <button type="button" role="switch" class="switch" aria-checked={isUp} aria-label={`${name} is up`} onClick={() => toggle(service, lane)}>
      <span class="track" aria-hidden="true" />
      <span class="word">{isUp ? "up" : "down"}</span>
    </button>
  );
}

function Counts({ service, lane }: { service: string; lane: string }) {
  const [all, healthy] = live.value[service]?.[lane] ?? [3, 3];
  const name = `${shortName(description.value, service)} in ${lane}`;
  const number = (text: string) => Math.min(0xffff_ffff, Math.max(0, Math.trunc(Number(text) || 0)));
  return (
    <span class="counts">
      <input
        type="number"
        min={0}
        max={all}
        value={healthy}
        aria-label={`Healthy endpoints of ${name}`}
        onChange={(event) => setCounts(service, lane, [all, Math.min(all, number(event.currentTarget.value))])}
      />
      <span aria-hidden="true">/</span>
      <input
        type="number"
        min={0}
        value={all}
        aria-label={`All endpoints of ${name}`}
        onChange={(event) => {
          const count = number(event.currentTarget.value);
          // A subset of healthy endpoints stays healthy when it grows.
          setCounts(service, lane, [count, healthy === all ? count : Math.min(healthy, count)]);
        }}
      />
    </span>
  );
}
