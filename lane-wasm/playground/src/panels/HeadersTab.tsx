// The headers at every hop: what comes in, what is set, what is removed.

import type { Bytes } from "lane/full";
import type { HeaderLine } from "../request/model";
import { draft } from "../state/store";
import { allStages } from "../state/view";
import type { Stage } from "../state/why";
import { StageHead } from "./WhyTab";

interface Change {
  kind: "same" | "set" | "gone" | "kept";
  name: string;
  value: string;
}

const SIGNS = { same: " ", set: "+", gone: "−", kept: "•" } as const;
const WORDS = { same: "", set: "set: ", gone: "removed: ", kept: "remembered: " } as const;

const show = (value: Bytes): string => (typeof value === "string" ? value : `base64 ${value.base64}`);

/** What becomes of the lines that reach a decision. */
export function changes(stage: Stage, sent: readonly HeaderLine[]): Change[] {
  const { decision, hop } = stage;
  const lines: [string, string][] = hop ? hop.passed_on.map(([name, value]) => [name, show(value)]) : sent.filter(([name]) => name !== "").map(([name, value]) => [name, value]);
  const set = new Map(Object.entries(decision.set_headers).map(([name, value]) => [name.toLowerCase(), [name, show(value)] as const]));
  const list: Change[] = lines.map(([name, value]): Change => {
    const low = name.toLowerCase();
    return { kind: decision.remove_headers.includes(low) || set.has(low) ? "gone" : "same", name, value };
  });
  for (const [name, value] of set.values()) list.push({ kind: "set", name, value });
  if (decision.set_cookie) {
    const { name, value, ttl_seconds } = decision.set_cookie;
    list.push({ kind: "set", name: "set-cookie (to the client)", value: `${name}=${value}; Max-Age=${ttl_seconds}` });
  }
  for (const one of decision.remember) list.push({ kind: "kept", name: `trace ${show(one.trace_id)}`, value: `lane ${one.lane} of group ${one.group}` });
  return list;
}

export function HeadersTab() {
  const all = allStages.value;
  if (all.length === 0) return <p class="empty">There is no request to follow.</p>;
  return (
    <>
      <ol class="stages">
        {all.map((stage, index) => {
          const list = changes(stage, draft.value.headers);
          return (
            <li key={index}>
              <StageHead stage={stage} />
              {list.length === 0 ? (
                <p class="hint">nothing comes in, nothing is set</p>
              ) : (
                <ul class="diff mono">
                  {list.map((change, at) => (
                    <li key={at} class={change.kind}>
                      <span class="sign" aria-hidden="true">
                        {SIGNS[change.kind]}
                      </span>
                      <span class="visually-hidden">{WORDS[change.kind]}</span>
                      <span>
                        <b>{change.name}</b>: {change.value}
                      </span>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          );
        })}
      </ol>
      <p class="hint">+ set, − removed or replaced, • remembered by a sidecar. Between calls the applications pass on the group’s context and nothing else.</p>
    </>
  );
}
