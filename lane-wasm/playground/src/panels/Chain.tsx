// The order of the calls: as the configuration says, or as the user says.

import { shortName } from "../engine/facts";
import { MAX_CALLS } from "../engine/protocol";
import { chainOrder, description, draft } from "../state/store";
import { allStages, decidingGroup } from "../state/view";
import { Icon } from "../ui/parts";

export function Chain() {
  const groups = description.value?.groups ?? [];
  const group = groups.find((one) => one.name === decidingGroup.value);
  const hosts = group?.services.map((service) => service.host) ?? [];
  // As the engine does without an order: from the service that the request enters.
  const entered = allStages.value[0]?.decision.service ?? ("service" in draft.value.entry ? draft.value.entry.service : null);
  const declared = entered && hosts.includes(entered) ? hosts.slice(hosts.indexOf(entered)) : hosts;
  const order = chainOrder.value ?? declared;
  const all = [...new Set(groups.flatMap((one) => one.services.map((service) => service.host)))].slice(0, 300);
  const shown = order.slice(0, MAX_CALLS);
  const set = (next: string[]) => {
    chainOrder.value = next;
  };
  const swap = (at: number, to: number) => {
    const next = [...order];
    [next[at], next[to]] = [next[to]!, next[at]!];
    set(next);
  };
  return (
    <fieldset class="chain">
      <legend>
        Chain of calls
        {chainOrder.value ? (
          <button type="button" class="quiet small" onClick={() => (chainOrder.value = null)}>
            Reset
          </button>
        ) : (
          <span class="hint">as configured</span>
        )}
      </legend>
      <ol>
        {shown.map((name, at) => {
          const short = shortName(description.value, name);
          return (
            <li key={`${name}-${at}`}>
              <span class="mono" title={name}>
                {short}
              </span>
              <button type="button" class="quiet square" aria-label={`Call ${short} earlier`} disabled={at === 0} onClick={() => swap(at, at - 1)}>
                <Icon name="up" />
              </button>
              <button type="button" class="quiet square" aria-label={`Call ${short} later`} disabled={at === order.length - 1} onClick={() => swap(at, at + 1)}>
                <Icon name="down" />
              </button>
              <button type="button" class="quiet square" aria-label={`Do not call ${short}`} disabled={order.length === 1} onClick={() => set(order.filter((_, index) => index !== at))}>
                <Icon name="close" />
              </button>
            </li>
          );
        })}
      </ol>
      {order.length > shown.length && <p class="hint">and {order.length - shown.length} further calls</p>}
      <select
        class="add-service"
        aria-label="Add a call"
        value=""
        onChange={(event) => {
          if (event.currentTarget.value) set([...order, event.currentTarget.value]);
          event.currentTarget.value = "";
        }}
      >
        <option value="">+ Call</option>
        {all.map((host) => (
          <option value={host} key={host}>
            {shortName(description.value, host)}
          </option>
        ))}
      </select>
    </fieldset>
  );
}
