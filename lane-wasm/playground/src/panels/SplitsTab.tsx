// Splits: exact shares, many keys, one key.

import { useEffect, useState } from "preact/hooks";
import type { Simulation } from "lane/full";
import { Superseded } from "../engine/client";
import type { SplitAnswer } from "../engine/protocol";
import { client, description, engineProblem, generation } from "../state/store";
import { allStages } from "../state/view";
import { Field, Text } from "../ui/parts";

const KEYS = 10_000;

interface SplitRule {
  /** As the engine takes it. */
  id: string;
  group: string;
  rule: string;
  sticky: boolean;
  keys: string;
}

function splitRules(): SplitRule[] {
  return (description.value?.groups ?? []).flatMap((group) =>
    group.rules.flatMap((rule): SplitRule[] => {
      if (!rule.split) return [];
      const { sticky } = rule;
      const keys = (sticky?.keys ?? []).map((key) => Object.entries(key).map(([kind, name]) => (name === true ? "source IP" : `${kind} ${name}`))[0] ?? "");
      if (sticky?.generate) keys.push(`generated cookie ${sticky.generate.cookie}`);
      return [{ id: `${group.name}/${rule.name}`, group: group.name, rule: rule.name, sticky: sticky !== null, keys: keys.join(", then ") }];
    }),
  );
}

export function SplitsTab() {
  const rules = splitRules();
  const [chosen, choose] = useState<string | null>(null);
  const [key, setKey] = useState("user-7");
  const [result, setResult] = useState<SplitAnswer | null>(null);
  const deciding = allStages.value.map((stage) => `${stage.decision.group}/${stage.decision.rule}`);
  const rule = rules.find((one) => one.id === chosen) ?? rules.find((one) => deciding.includes(one.id)) ?? rules[0];
  const now = generation.value;
  useEffect(() => {
    if (!rule || engineProblem.peek()) return;
    let isCurrent = true;
    client.split({ rule: rule.id, keys: KEYS, prefix: "user-", key }).then(
      (answer) => isCurrent && setResult(answer),
      (error: unknown) => isCurrent && !(error instanceof Superseded) && setResult({ simulation: null, lane: null, problem: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [rule?.id, key, now]);
  if (!rule) return <p class="empty">No rule of this configuration splits.</p>;
  const simulation = result?.simulation?.rule === rule.rule && result.simulation.group === rule.group ? result.simulation : null;
  return (
    <div class="splits">
      <Field label="Rule">
        {(id) => (
          <select id={id} value={rule.id} onChange={(event) => choose(event.currentTarget.value)}>
            {rules.map((one) => (
              <option key={one.id} value={one.id}>
                {one.rule} ({one.group})
              </option>
            ))}
          </select>
        )}
      </Field>
      <p class="hint">{rule.sticky ? `Sticky by ${rule.keys}.` : "Each request by its own roll; no key keeps a client in its lane."}</p>
      {result?.problem && <p class="problem-text">{result.problem}</p>}
      {simulation && <Shares simulation={simulation} />}
      {rule.sticky && (
        <Field label="Which lane is this key in?" class="which">
          {(id) => (
            <span class="with-button">
              <Text id={id} value={key} maxLength={4096} onText={setKey} />
              <output for={id} class="lane-of">
                {result?.lane ? <b>{result.lane}</b> : "–"}
              </output>
            </span>
          )}
        </Field>
      )}
    </div>
  );
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2).replace(/\.?0+$/, "")} %`;

function Shares({ simulation }: { simulation: Simulation }) {
  const total = simulation.shares.reduce((sum, share) => sum + share.weight, 0);
  const fraction = (share: Simulation["shares"][number]) => (share.denominator === 1 ? String(share.numerator) : `${share.numerator}/${share.denominator}`);
  return (
    <>
      <div class="share-bar" role="img" aria-label={simulation.shares.map((share) => `${share.lane} ${percent(share.weight, total)}`).join(", ")}>
        {simulation.shares
          .filter((share) => share.weight > 0)
          .map((share, index) => (
            <span key={share.lane} class={`part part-${index % 4}`} style={{ flexGrow: share.weight }} title={`${share.lane}: ${percent(share.weight, total)}`}>
              {share.weight / total >= 0.12 && (
                <span>
                  {share.lane} {percent(share.weight, total)}
                </span>
              )}
            </span>
          ))}
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Shares">
        <table class="numbers">
          <caption>
            {simulation.keys.toLocaleString("en")} {simulation.by === "key" ? `keys, user-1 to user-${simulation.keys}` : "rolls, spread evenly"}
          </caption>
          <thead>
            <tr>
              <th scope="col">lane</th>
              <th scope="col">weight</th>
              <th scope="col">exactly</th>
              <th scope="col">share</th>
              <th scope="col">came here</th>
              <th scope="col">off by</th>
            </tr>
          </thead>
          <tbody>
            {simulation.shares.map((share) => {
              const expected = (simulation.keys * share.weight) / total;
              const off = share.count - expected;
              return (
                <tr key={share.lane}>
                  <th scope="row">{share.lane}</th>
                  <td>{share.weight}</td>
                  <td>{fraction(share)}</td>
                  <td>{percent(share.weight, total)}</td>
                  <td>{share.count.toLocaleString("en")}</td>
                  <td>
                    {off > 0 ? "+" : off < 0 ? "−" : ""}
                    {Math.abs(Math.round(off)).toLocaleString("en")}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
