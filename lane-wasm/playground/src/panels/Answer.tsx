// The right pane: where the request goes, and why.

import { answer, diagnostics, engineProblem, generation, stale } from "../state/store";
import { allStages, tab } from "../state/view";
import { Tabs } from "../ui/parts";
import { GraphView } from "./GraphView";
import { HeadersTab } from "./HeadersTab";
import { Headline } from "./Headline";
import { LaneTable } from "./LaneTable";
import { SplitsTab } from "./SplitsTab";
import { TestsTab } from "./TestsTab";
import { WhyTab } from "./WhyTab";

export function AnswerPane() {
  const now = answer.value;
  return (
    <section class={`pane answer ${stale.value ? "stale" : ""}`} id="answer" tabIndex={-1} aria-labelledby="answer-title" data-generation={generation.value}>
      <header class="pane-head">
        <h2 id="answer-title">Answer</h2>
        {stale.value && (
          <p class="stale-note" role="status">
            of the last text that compiled
          </p>
        )}
      </header>
      <div class="pane-body">{now ? <Content /> : <Nothing />}</div>
    </section>
  );
}

function Nothing() {
  const errors = diagnostics.value.some((one) => one.severity === "error");
  const words = engineProblem.value ? "There is no answer, because the engine stopped." : errors ? "There is no answer yet: the configuration does not compile." : "Loading the engine…";
  return <p class="empty">{words}</p>;
}

function Content() {
  const run = answer.value?.tests;
  const total = run ? run.cases.length : 0;
  return (
    <>
      <Headline />
      <LaneTable />
      {allStages.value.length > 0 && <GraphView />}
      {(answer.value?.moreCalls ?? 0) > 0 && <p class="hint">The chain goes on for {answer.value!.moreCalls} further calls, which are not shown.</p>}
      <Tabs
        label="Details of the answer"
        active={tab.value}
        onSelect={(id) => (tab.value = id)}
        tabs={[
          { id: "why", label: "Why", panel: () => <WhyTab /> },
          { id: "headers", label: "Headers", panel: () => <HeadersTab /> },
          { id: "splits", label: "Splits", panel: () => <SplitsTab /> },
          {
            id: "tests",
            label: (
              <>
                Tests
                {total > 0 && (
                  <span class={`count ${run!.passed === total ? "" : "bad"}`}>
                    {run!.passed === total ? "✓" : "✗"} {run!.passed}/{total}
                  </span>
                )}
              </>
            ),
            panel: () => <TestsTab />,
          },
        ]}
      />
    </>
  );
}
