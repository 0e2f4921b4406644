// The explanation, decision by decision. A rule leads to its place in the text.

import { Fragment } from "preact";
import { useState } from "preact/hooks";
import type { Decision, Step } from "lane/full";
import { shortName } from "../engine/facts";
import { description } from "../state/store";
import { allStages, revealRule } from "../state/view";
import { type Sentence, type Stage, sentence, served } from "../state/why";

const SIGN = { good: "✓", bad: "✗", plain: "·" } as const;
const TONE_WORD = { good: "yes", bad: "no", plain: "" } as const;

export function WhyTab() {
  const all = allStages.value;
  if (all.length === 0) return <p class="empty">There is no answer to explain.</p>;
  return (
    <ol class="stages">
      {all.map((stage, index) => (
        <li key={index}>
          <StageHead stage={stage} />
          <Steps stage={stage} />
        </li>
      ))}
    </ol>
  );
}

/** Rules that do not hold, shown before the rest is folded away. */
const FIRST = 20;

function Steps({ stage }: { stage: Stage }) {
  const [isAll, setAll] = useState(false);
  const steps = stage.explanation?.steps ?? [];
  const isFailed = (step: Step) => step.step === "rule" && typeof step.result === "object";
  let room = isAll ? Infinity : FIRST;
  const shown = steps.filter((step) => !isFailed(step) || room-- > 0);
  const hidden = steps.length - shown.length;
  const fold = shown.findLastIndex(isFailed);
  return (
    <ul class="steps">
      {steps.length === 0 && <li class="plain">{nothingTried(stage.decision)}</li>}
      {shown.map((step, at) => (
        <Fragment key={at}>
          <Line said={sentence(step)} />
          {hidden > 0 && at === fold && (
            <li class="bad">
              <span class="sign" aria-hidden="true">
                {SIGN.bad}
              </span>
              <span>
                {hidden.toLocaleString("en")} more rules do not hold{" "}
                {steps.length <= 2000 && (
                  <button type="button" class="quiet small" onClick={() => setAll(true)}>
                    Show
                  </button>
                )}
              </span>
            </li>
          )}
        </Fragment>
      ))}
    </ul>
  );
}

const nothingTried = (decision: Decision): string =>
  decision.outcome === "pass" ? "the name is no service of any group: nothing is touched" : "no rule is for this place";

export function StageHead({ stage }: { stage: Stage }) {
  const { decision } = stage;
  const name = shortName(description.value, decision.service ?? stage.name);
  const isBad = decision.status === 404 || decision.status === 503;
  return (
    <h4>
      {stage.kind === "gateway" ? `Gateway ${stage.name}`.trim() : `Call of ${name}`}
      <span class={isBad ? "to bad" : decision.fallback ? "to fell" : "to"}>
        → {stage.kind === "gateway" && decision.subset ? `${name} ` : ""}
        {served(decision)}
        {decision.fallback ? " (falls back)" : ""}
      </span>
    </h4>
  );
}

function Line({ said }: { said: Sentence }) {
  const { rule } = said;
  return (
    <li class={said.tone}>
      <span class="sign" aria-hidden="true">
        {SIGN[said.tone]}
      </span>
      <span class="visually-hidden">{TONE_WORD[said.tone]}</span>
      <span>
        {rule && said.text.startsWith("rule ") ? (
          <>
            rule{" "}
            <button type="button" class="to-rule" title="Show in the configuration" onClick={() => revealRule(rule.group, rule.rule)}>
              {rule.rule}
            </button>
            {said.text.slice(`rule ${rule.rule}`.length)}
          </>
        ) : (
          said.text
        )}
        {said.details.length > 0 && (
          <ul class="details">
            {said.details.map((detail) => (
              <li key={detail}>{detail}</li>
            ))}
          </ul>
        )}
      </span>
    </li>
  );
}
