// The explanation in words, and what it says about each rule of the text.

import type { Chain, Decision, Description, DrawStep, Explanation, Failure, Hop, Reason, Step } from "lane/full";
import type { RuleMark, RuleState } from "../editor/marks";

export const REASONS: Record<Reason, string> = {
  not_in_lane: "not in lane",
  no_endpoints: "no endpoints",
  none_healthy: "none healthy",
  below_min_healthy: "too few healthy",
};

/** One decision of a chain, with how it came about. */
export interface Stage {
  /** The gateway, or the called service as it was called. */
  kind: "gateway" | "call";
  name: string;
  decision: Decision;
  explanation: Explanation | null;
  hop: Hop | null;
}

export function stages(chain: Chain, gateway: string): Stage[] {
  const list: Stage[] = [];
  if (chain.ingress) list.push({ kind: "gateway", name: gateway, decision: chain.ingress, explanation: chain.explanation ?? null, hop: null });
  for (const hop of chain.hops) list.push({ kind: "call", name: hop.service, decision: hop.decision, explanation: hop.explanation ?? null, hop });
  return list;
}

/** `wanted in: ["qa"], but it is "x"`. */
export function failureText(failure: Failure): string {
  const wanted = failure.attribute === "not" ? failure.wanted : `${failure.attribute}: wanted ${failure.wanted}`;
  return `${wanted}, ${failure.actual === null ? "and there is none" : `and it is ${JSON.stringify(failure.actual)}`}`;
}

const PLACES = { guiding_header: "the guiding header", context: "the context", source: "the caller's own lane" };

/** A step in words. `lead` says what kind of thing it is; `details` are further lines. */
export interface Sentence {
  tone: "good" | "bad" | "plain";
  text: string;
  details: string[];
  rule: { group: string | null; rule: string } | null;
}

export function sentence(step: Step): Sentence {
  switch (step.step) {
    case "rule": {
      const rule = { group: step.group, rule: step.rule };
      if (step.result === "holds") return { tone: "good", text: `rule ${step.rule} holds`, details: [], rule };
      if (step.result === "undetermined") return { tone: "plain", text: `rule ${step.rule}: cannot be told`, details: [], rule };
      return { tone: "bad", text: `rule ${step.rule} does not hold`, details: step.result.failed.map(failureText), rule };
    }
    case "look": {
      const found = step.unseen ? "was not recorded" : step.found === null ? "nothing" : step.found;
      return { tone: step.found === null ? "plain" : "good", text: `looked in ${PLACES[step.place]}: ${found}`, details: [], rule: null };
    }
    case "draw":
      return { tone: "good", text: `drawn ${drawnBy(step)}: ${step.lane}`, details: step.shares.map((share) => drawnShare(step, share)), rule: { group: null, rule: step.rule } };
    case "candidate":
      return step.passed_over === null
        ? { tone: "good", text: `lane ${step.lane} serves`, details: [], rule: null }
        : { tone: "bad", text: `lane ${step.lane} is passed over: ${REASONS[step.passed_over]}`, details: [], rule: null };
  }
}

function drawnBy(step: DrawStep): string {
  if (step.by === "only_weight") return "without choice, as only one lane has a weight";
  if ("roll" in step.by) return `by the roll (${step.by.roll.value} of ${step.by.roll.total})`;
  const { key, method, value } = step.by.key;
  return method === "ranges" ? `by ${key} (hash ${value ?? "?"})` : `by ${key} (rendezvous: the smallest score wins)`;
}

function drawnShare(step: DrawStep, share: DrawStep["shares"][number]): string {
  const sign = share.lane === step.lane ? "→ " : "";
  const part = share.range ? (share.range[0] === share.range[1] ? "never" : `${share.range[0]} to ${share.range[1] - 1}`) : share.score === undefined ? "" : `score ${share.score.toFixed(6)}`;
  return `${sign}${share.lane}: weight ${share.weight}${part === "" ? "" : `, ${part}`}`;
}

/** What became of every rule, for the editor. */
export function ruleMarks(description: Description, chain: Chain | null, gateway: string): RuleMark[] {
  const results = new Map<string, { state: RuleState; note: string; story: string }>();
  const rank: Record<RuleState, number> = { unreached: 0, tried: 1, undetermined: 2, matched: 3 };
  const id = (group: string, rule: string) => JSON.stringify([group, rule]);
  for (const stage of chain ? stages(chain, gateway) : []) {
    const at = stage.kind === "gateway" ? "at the gateway" : `at the call of ${stage.name}`;
    for (const step of stage.explanation?.steps ?? []) {
      if (step.step !== "rule") continue;
      const state: RuleState = step.result === "holds" ? "matched" : step.result === "undetermined" ? "undetermined" : "tried";
      const known = results.get(id(step.group, step.rule));
      if (known && rank[known.state] >= rank[state]) continue;
      const failed = typeof step.result === "object" ? step.result.failed.map(failureText) : [];
      const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
      const words = { matched: `matched ${at}`, undetermined: "cannot be told from what was recorded", tried: `tried ${at}, does not hold`, unreached: "not reached" }[state];
      const drawn = stage.explanation?.steps.find((one) => one.step === "draw" && one.rule === step.rule);
      const lane = drawn?.step === "draw" ? drawn.lane : stage.decision.rule === step.rule ? stage.decision.lane : null;
      const note = state === "tried" ? (failed[0] ?? "does not hold") + more : state === "matched" ? `matched${lane ? ` → ${lane}` : ""}` : words;
      results.set(id(step.group, step.rule), { state, note, story: [words, ...failed].join("\n") });
    }
  }
  return description.groups.flatMap((group) =>
    group.rules.flatMap((rule): RuleMark[] => {
      if (!rule.span) return [];
      const result = results.get(id(group.name, rule.name)) ?? { state: "unreached", note: "", story: "not reached" };
      return [{ from: rule.span.start, to: rule.span.end, ...result }];
    }),
  );
}

/** The lane that serves, or the outcome where none does. */
export function served(decision: Decision): string {
  return decision.subset?.lane ?? decision.outcome.replaceAll("_", " ");
}
