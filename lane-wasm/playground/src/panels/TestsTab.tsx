// The test table: requests with the lanes they are to take, checked with every change.

import type { TestCase as Ran } from "lane/full";
import { useState } from "preact/hooks";
import { CONFIG_FILE, shortName } from "../engine/facts";
import { splitUrl } from "../request/url";
import { answer, chainOrder, description, download, draft, gateways, live, tests } from "../state/store";
import { OUTCOMES, type TestCase, freeName, suiteCases, suiteFile } from "../state/tests";
import { allStages } from "../state/view";
import { Icon, Text } from "../ui/parts";

export const TEST_FILE = CONFIG_FILE.replace(/\.yaml$/, ".test.yaml");

/** The whole table as a `lane test` file. */
export const testFile = (): string => suiteFile(CONFIG_FILE, suiteCases(tests.value, gateways.value));

/** The request on the page, with today's answer as the expectation. */
function presentCase(name: string): TestCase {
  return { name, draft: draft.value, live: live.value, ...presentExpectation() };
}

function presentExpectation(): Pick<TestCase, "lane" | "chain"> {
  const all = allStages.value;
  const first = all[0]?.decision;
  if (!first) return { lane: "", chain: {} };
  const isServed = first.subset !== null;
  const chain: Record<string, string> = {};
  for (const { decision, name } of all) {
    const key = shortName(description.value, decision.service ?? name);
    // A service that is called twice cannot stand twice in a map.
    if (decision.service && !(key in chain)) chain[key] = decision.subset?.lane ?? decision.outcome;
  }
  return { lane: isServed && first.lane ? first.lane : `!${first.outcome}`, chain: isServed ? chain : {} };
}

export function TestsTab() {
  const [open, setOpen] = useState<number | null>(null);
  const run = answer.value?.tests;
  const set = (at: number, change: Partial<TestCase>) => (tests.value = tests.value.map((test, index) => (index === at ? { ...test, ...change } : test)));
  const add = () => {
    const { path } = splitUrl(draft.value.url);
    const wanted = `${draft.value.method} ${path ?? "/"}`;
    tests.value = [
      ...tests.value,
      presentCase(
        freeName(
          wanted,
          tests.value.map((test) => test.name),
        ),
      ),
    ];
  };
  return (
    <div class="tests">
      <div class="row-actions">
        <button type="button" onClick={add} disabled={allStages.value.length === 0}>
          <Icon name="plus" /> This request, with this answer
        </button>
        <button type="button" class="quiet" disabled={tests.value.length === 0} onClick={() => download(TEST_FILE, testFile(), "application/yaml")}>
          Download for <code>lane test</code>
        </button>
      </div>
      {answer.value?.testsProblem && <p class="problem-text">{answer.value.testsProblem}</p>}
      {tests.value.length === 0 ? (
        <p class="empty">No tests yet. A test is a request and the lane it is to take; it is checked with every change of the configuration.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Test table">
          <table class="cases">
            <thead>
              <tr>
                <th scope="col">
                  <span class="visually-hidden">Result</span>
                </th>
                <th scope="col">Test</th>
                <th scope="col">Lane</th>
                <th scope="col">
                  <span class="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {tests.value.map((test, at) => (
                <Case key={at} test={test} ran={run?.cases[at]} isOpen={open === at} onOpen={() => setOpen(open === at ? null : at)} onChange={(change) => set(at, change)} onRemove={() => (tests.value = tests.value.filter((_, index) => index !== at))} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {run && run.coverage.some((one) => one.cases === 0) && (
        <p class="hint">
          Not decided by any test:{" "}
          {run.coverage
            .filter((one) => one.cases === 0)
            .slice(0, 8)
            .map((one) => one.rule)
            .join(", ")}
          .
        </p>
      )}
    </div>
  );
}

interface CaseProps {
  test: TestCase;
  ran: Ran | undefined;
  isOpen: boolean;
  onOpen: () => void;
  onChange: (change: Partial<TestCase>) => void;
  onRemove: () => void;
}

const VERDICTS = { passed: ["✓", "passed"], failed: ["✗", "failed"], broken: ["!", "broken"] } as const;

function Case({ test, ran, isOpen, onOpen, onChange, onRemove }: CaseProps) {
  const [sign, word] = ran ? VERDICTS[ran.verdict] : ["·", "not run"];
  const lanes = [...new Set((description.value?.groups ?? []).flatMap((group) => group.lanes.map((lane) => lane.name)))].slice(0, 300);
  const isStrange = test.lane !== "" && !test.lane.startsWith("!") && !lanes.includes(test.lane);
  const chain = Object.values(test.chain).join(" → ");
  return (
    <>
      <tr class={ran?.verdict ?? ""}>
        <td class="verdict-sign">
          <span aria-hidden="true">{sign}</span>
          <span class="visually-hidden">{word}</span>
        </td>
        <td>
          <Text class="plain-input" aria-label="Name of the test" value={test.name} maxLength={200} onText={(name) => onChange({ name })} />
          {chain && (
            <span class="chain-of" title={Object.entries(test.chain).map(([service, lane]) => `${service}: ${lane}`).join(", ")}>
              {chain}
            </span>
          )}
        </td>
        <td>
          <select aria-label={`Expected lane of ${test.name}`} value={test.lane} onChange={(event) => onChange({ lane: event.currentTarget.value })}>
            <option value="">any</option>
            {isStrange && <option>{test.lane}</option>}
            {lanes.map((lane) => (
              <option key={lane}>{lane}</option>
            ))}
            {OUTCOMES.map((outcome) => (
              <option key={outcome} value={`!${outcome}`}>
                {outcome.replaceAll("_", " ")}
              </option>
            ))}
          </select>
        </td>
        <td class="case-actions">
          <button type="button" class="quiet small" onClick={() => ((draft.value = test.draft), (live.value = test.live), (chainOrder.value = null))}>
            Load
          </button>
          <button type="button" class="quiet square" aria-expanded={isOpen} aria-label={`Edit ${test.name}`} onClick={onOpen}>
            <Icon name={isOpen ? "up" : "down"} />
          </button>
          <button type="button" class="quiet square" aria-label={`Remove ${test.name}`} onClick={onRemove}>
            <Icon name="close" />
          </button>
        </td>
      </tr>
      {(isOpen || (ran && ran.verdict !== "passed")) && (
        <tr class="case-details">
          <td />
          <td colSpan={3}>
            {ran?.error && <p class="problem-text">{ran.error}</p>}
            {(ran?.differences ?? []).map((one) => (
              <p key={one.key} class="problem-text">
                {one.key}: wanted {JSON.stringify(one.wanted)}, got {JSON.stringify(one.actual)}
              </p>
            ))}
            {isOpen && (
              <>
                <p class="mono request-line">
                  {test.draft.method} {test.draft.url}
                  {test.draft.headers.map(([name, value]) => ` ${name}: ${value}`).join(",")}
                  {test.draft.roll && ` roll ${test.draft.roll}`}
                </p>
                <p class="row-actions">
                  <button type="button" class="quiet small" disabled={allStages.value.length === 0} onClick={() => onChange({ draft: draft.value, live: live.value, ...presentExpectation() })}>
                    Replace by the present request and answer
                  </button>
                  {chain && (
                    <button type="button" class="quiet small" onClick={() => onChange({ chain: {} })}>
                      Any chain will do
                    </button>
                  )}
                </p>
              </>
            )}
          </td>
        </tr>
      )}
    </>
  );
}
