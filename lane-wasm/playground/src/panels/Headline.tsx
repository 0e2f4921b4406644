// The answer in one line and one sentence.

import type { Decision } from "lane/full";
import { shortName } from "../engine/facts";
import { answer, description } from "../state/store";
import { allStages } from "../state/view";
import { REASONS, type Stage, served } from "../state/why";

const WORDS: Record<Decision["outcome"], string> = {
  routed: "routed",
  fell_back: "fell back",
  pass: "pass",
  no_route: "no route",
  unavailable: "unavailable",
  undetermined: "undetermined",
};

/** Stops of the way that one line can still hold. */
const STOPS = 12;

export function Headline() {
  const all = allStages.value;
  const problem = answer.value?.problems.length;
  if (problem) return <p class="empty">The request cannot be asked; what is wrong stands beside it.</p>;
  const worst = all.find((stage) => !stage.decision.subset) ?? all[0];
  if (!worst) return null;
  const { outcome, status } = worst.decision;
  const isBad = outcome === "no_route" || outcome === "unavailable";
  return (
    <div class="headline" role="status" aria-live="polite">
      <p class="way">
        <span class={`chip ${isBad ? "bad" : outcome === "undetermined" || outcome === "pass" ? "plain" : ""}`}>
          {status === 0 ? "" : status} {isBad || outcome === "undetermined" || outcome === "pass" ? WORDS[outcome] : "routed"}
        </span>
        {all.slice(0, STOPS).map((stage, index) => (
          <Stop key={index} stage={stage} isFirst={index === 0} />
        ))}
        {all.length > STOPS && <span class="stop">→ {all.length - STOPS} more</span>}
      </p>
      <p class="because">{because(all.slice(0, STOPS))}</p>
    </div>
  );
}

function Stop({ stage, isFirst }: { stage: Stage; isFirst: boolean }) {
  const name = stage.decision.service ?? (stage.kind === "gateway" ? stage.name || "gateway" : stage.name);
  return (
    <span class="stop">
      {isFirst ? null : (
        <span class="arrow" aria-hidden="true">
          →{" "}
        </span>
      )}
      {shortName(description.value, name)} <b class={stage.decision.fallback ? "fell" : ""}>{served(stage.decision)}</b>
    </span>
  );
}

/** Why it goes this way, in a sentence or two. */
export function because(all: readonly Stage[]): string {
  const first = all[0];
  if (!first) return "";
  const { decision, explanation } = first;
  const parts: string[] = [];
  const draw = explanation?.steps.find((step) => step.step === "draw");
  if (decision.rule && decision.lane) {
    const drawn = draw?.step !== "draw" || draw.by === "only_weight" ? "" : "roll" in draw.by ? `, drawn by the roll (${draw.by.roll.value} of ${draw.by.roll.total})` : `, drawn by ${draw.by.key.key}`;
    parts.push(`Rule ${decision.rule} gives lane ${decision.lane}${drawn}.`);
  } else if (decision.lane && decision.found) parts.push(`The lane name stands in ${decision.found.in === "source" ? "the caller’s own labels" : `the ${decision.found.in.replace("_", " ")}`}: lane ${decision.lane}.`);
  else if (decision.lane) parts.push(`No lane was found, so the baseline ${decision.lane} serves.`);
  else if (decision.outcome === "no_route") parts.push("No rule decides, though the hosts of at least one hold.");
  else if (decision.outcome === "pass") parts.push("This traffic is none of lane’s: no rule’s hosts hold, and nothing is changed.");
  else if (decision.outcome === "undetermined") parts.push(`It depends on what the request does not tell: ${decision.undetermined.join(", ")}.${decision.undetermined.includes("roll") ? " Give the request a roll, or a key to draw by." : ""}`);
  for (const stage of all) {
    const { fallback, reason, outcome, service, notes } = stage.decision;
    const name = shortName(description.peek(), service ?? stage.name);
    if (fallback) parts.push(`${name} falls back to ${fallback.to}${reason ? `, as ${fallback.from} ${reason === "not_in_lane" ? "does not contain it" : `has ${reasonWords(reason)}`}` : ""}.`);
    if (outcome === "unavailable") parts.push(`At ${name} nobody can serve${reason ? `: ${REASONS[reason]}` : ""}.`);
    if (notes.includes("unknown_lane")) parts.push("The name is no lane of the group.");
    if (notes.includes("below_min_healthy")) parts.push(`At ${name} every candidate is below its mark; the first with a healthy endpoint serves after all.`);
  }
  return parts.join(" ");
}

const reasonWords = (reason: string): string => ({ no_endpoints: "no endpoints", none_healthy: "no healthy endpoint", below_min_healthy: "too few healthy endpoints" })[reason] ?? reason;
