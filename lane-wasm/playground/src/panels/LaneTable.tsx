// The lane table: for every lane of a group, who serves each service.

import type { Cell } from "lane/full";
import { useState } from "preact/hooks";
import { shortName } from "../engine/facts";
import { answer, description } from "../state/store";
import { allStages, chosenGroup, shownGroup } from "../state/view";
import { REASONS } from "../state/why";

/** Rows shown at first; the rest is a click away. */
const FIRST = 12;

export function LaneTable() {
  const [isAll, setAll] = useState(false);
  const group = shownGroup.value;
  const table = answer.value?.tables.find((one) => one.group === group?.name);
  if (!group || !table) return null;
  const groups = description.value?.groups ?? [];
  const own = allStages.value.find((stage) => stage.decision.group === group.name)?.decision.lane ?? null;
  const rows = isAll ? table.rows : table.rows.filter((row, index) => index < FIRST || row.lane === own);
  return (
    <section class="block" aria-labelledby="table-title">
      <header class="block-head">
        <h3 id="table-title">Who serves each lane</h3>
        {groups.length > 1 && (
          <select aria-label="Group" value={group.name} onChange={(event) => (chosenGroup.value = event.currentTarget.value)}>
            {groups.map((one) => (
              <option key={one.name} value={one.name}>
                group {one.name}
              </option>
            ))}
          </select>
        )}
        <span class="hint">{group.mode}</span>
      </header>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Lane table of group ${group.name}`}>
        <table class="lanes">
          <thead>
            <tr>
              <th scope="col">lane</th>
              {table.services.map((host) => (
                <th scope="col" key={host} title={host}>
                  {shortName(description.value, host)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.lane} class={row.lane === own ? "own" : ""} aria-current={row.lane === own ? "true" : undefined}>
                <th scope="row">
                  <span class="lane-name">{row.lane}</span>{" "}
                  {row.lane === own && <span class="tag accent">this request</span>}
                  {group.lanes.find((lane) => lane.name === row.lane)?.baseline && <span class="tag">baseline</span>}
                </th>
                {row.cells.map((cell, index) => (
                  <td key={index} class={cell.fallback ? "fell" : cell.lane === null ? "none" : ""}>
                    <CellText cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {group.services.length > table.services.length && <p class="hint">{group.services.length - table.services.length} further services are not shown.</p>}
      {group.lanes.length > rows.length && (
        <p class="hint">
          {group.lanes.length - rows.length} further lanes.{" "}
          {table.rows.length > rows.length && (
            <button type="button" class="quiet small" onClick={() => setAll(true)}>
              Show {table.rows.length}
            </button>
          )}
        </p>
      )}
    </section>
  );
}

function CellText({ cell }: { cell: Cell }) {
  if (cell.lane === null) {
    return (
      <>
        <b>✗ {cell.outcome.replaceAll("_", " ")}</b>
        {cell.reason && <small>{REASONS[cell.reason]}</small>}
      </>
    );
  }
  return (
    <>
      <b>{cell.lane}</b>
      {cell.fallback && <small>falls back{cell.reason ? `, ${REASONS[cell.reason]}` : ""}</small>}
    </>
  );
}
