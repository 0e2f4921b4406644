// The middle pane: what is asked.

import { useState } from "preact/hooks";
import { shortName } from "../engine/facts";
import { looksLikeCurl, parseCurl } from "../request/curl";
import { type Entry, type HeaderLine, MAX_ROLL, draftProblems } from "../request/model";
import { answer, description, draft, gateways, notice, patchDraft } from "../state/store";
import { decidingGroup } from "../state/view";
import { Field, Icon, Text } from "../ui/parts";
import { Chain } from "./Chain";
import { Endpoints } from "./Endpoints";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

export function RequestPane() {
  const [isPasting, setPasting] = useState(false);
  const problems = answer.value?.problems ?? [];
  return (
    <section class="pane request" id="request" tabIndex={-1} aria-labelledby="request-title">
      <header class="pane-head">
        <h2 id="request-title">Request</h2>
        <button type="button" class="quiet" aria-expanded={isPasting} onClick={() => setPasting(!isPasting)}>
          Paste a curl line
        </button>
      </header>
      <div class="pane-body">
        {isPasting && <CurlBox onDone={() => setPasting(false)} />}
        <Target />
        <Headers />
        <Caller />
        {problems.map((one) => (
          <p class="problem-text" role="alert" key={one.path + one.message}>
            {one.path && <code>{one.path}</code>} {one.message}
            {one.help && ` (${one.help})`}
          </p>
        ))}
        <Chain />
        <Endpoints />
      </div>
    </section>
  );
}

/** Takes a curl line, wherever it was pasted. */
export function takeCurl(line: string): string | null {
  const read = parseCurl(line);
  if ("problem" in read) return read.problem;
  patchDraft({ method: read.method, url: read.url, headers: read.headers });
  if (read.ignored.length > 0) notice.value = { tone: "info", text: `Of the curl line these were left out, as no decision depends on them: ${read.ignored.join(", ")}.` };
  return null;
}

function CurlBox({ onDone }: { onDone: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const take = (line: string) => {
    if (line.trim() === "") return setProblem(null);
    const wrong = takeCurl(line);
    setProblem(wrong);
    if (wrong === null) onDone();
  };
  return (
    <Field label="A curl line, as browsers copy it" problem={problem} hint="It is read here and sent nowhere.">
      {(id) => (
        <textarea
          id={id}
          class="mono"
          rows={3}
          ref={(element) => element?.focus()}
          spellcheck={false}
          placeholder="curl https://shop.example/cart -H 'x-user-group: qa'"
          onInput={(event) => take(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Escape" && onDone()}
        />
      )}
    </Field>
  );
}

/** Entries of a list to choose from; whoever has more pastes a request. */
const MAX_OPTIONS = 300;

const entryKey = (entry: Entry): string => ("service" in entry ? `s:${entry.service}` : `g:${entry.gateway ?? gateways.value[0] ?? ""}`);

function EntryField() {
  const names = gateways.value;
  const services = [...new Set((description.value?.groups ?? []).flatMap((group) => group.services.map((service) => service.host)))].slice(0, MAX_OPTIONS);
  const { entry } = draft.value;
  const now = entryKey(entry);
  // What the draft says stays choosable, also where the configuration no longer has it.
  const isStrange = "service" in entry ? !services.some((host) => `s:${host}` === now) : entry.gateway !== null && !names.includes(entry.gateway);
  return (
    <Field label="Enters at">
      {(id) => (
        <select
          id={id}
          value={now}
          onChange={(event) => {
            const value = event.currentTarget.value;
            patchDraft({ entry: value.startsWith("s:") ? { service: value.slice(2) } : { gateway: value.slice(2) === "" ? null : value.slice(2) } });
          }}
        >
          {isStrange && <option value={now}>{"service" in entry ? `call of ${entry.service}` : entry.gateway}</option>}
          <optgroup label="A gateway">
            {names.length === 0 && <option value="g:">a gateway without a name</option>}
            {names.map((name) => (
              <option value={`g:${name}`} key={name}>
                {name}
              </option>
            ))}
          </optgroup>
          <optgroup label="A call inside the chain">
            {services.map((host) => (
              <option value={`s:${host}`} key={host}>
                call of {shortName(description.value, host)}
              </option>
            ))}
          </optgroup>
        </select>
      )}
    </Field>
  );
}

function Target() {
  const { method, url } = draft.value;
  return (
    <div class="target">
      <EntryField />
      <Field label="Method">
        {(id) => (
          <select id={id} value={method} onChange={(event) => patchDraft({ method: event.currentTarget.value })}>
            {!METHODS.includes(method) && <option>{method}</option>}
            {METHODS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="URL" class="url">
        {(id) => (
          <Text
            id={id}
            value={url}
            maxLength={16384}
            placeholder="https://shop.example/cart?x=1"
            onText={(value) => (looksLikeCurl(value) && takeCurl(value) === null ? undefined : patchDraft({ url: value }))}
          />
        )}
      </Field>
    </div>
  );
}

function Headers() {
  const { headers } = draft.value;
  const problems = draftProblems(draft.value).headers;
  const set = (lines: HeaderLine[]) => patchDraft({ headers: lines });
  const change = (at: number, line: HeaderLine) => set(headers.map((old, index) => (index === at ? line : old)));
  const group = description.value?.groups.find((one) => one.name === decidingGroup.value);
  const ideas = [...new Set([...(group ? [group.guiding_header] : []), "cookie", "baggage", "user-agent", "x-user-id", "traceparent"])];
  return (
    <fieldset class="headers">
      <legend>Headers</legend>
      <datalist id="header-names">
        {ideas.map((name) => (
          <option value={name} key={name} />
        ))}
      </datalist>
      {headers.map(([name, value], at) => (
        <div class="header-line" key={at}>
          <Text aria-label={`Name of header ${at + 1}`} placeholder="name" list="header-names" value={name} problem={problems[at] !== null} onText={(text) => change(at, [text, value])} />
          <Text aria-label={`Value of header ${at + 1}`} placeholder="value" value={value} maxLength={65536} onText={(text) => change(at, [name, text])} />
          <button type="button" class="quiet square" aria-label={`Remove header ${name || at + 1}`} onClick={() => set(headers.filter((_, index) => index !== at))}>
            <Icon name="close" />
          </button>
          {problems[at] && <p class="problem-text">{problems[at]}</p>}
        </div>
      ))}
      <button type="button" class="quiet add" onClick={() => set([...headers, ["", ""]])}>
        <Icon name="plus" /> Header
      </button>
    </fieldset>
  );
}

/** A new roll. The page draws it; the engine draws nothing. */
function newRoll(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (((BigInt(high) << 32n) | BigInt(low)) & MAX_ROLL).toString();
}

function Caller() {
  const { roll, ip, caller, labels, entry } = draft.value;
  const problems = draftProblems(draft.value);
  return (
    <div class="pair">
      <Field label="Roll" problem={problems.roll} hint="What splits draw by.">
        {(id) => (
          <span class="with-button">
            <Text id={id} inputMode="numeric" placeholder="none" value={roll} problem={problems.roll !== undefined} onText={(value) => patchDraft({ roll: value })} />
            <button type="button" class="quiet square" aria-label="Draw a new roll" title="Draw a new roll" onClick={() => patchDraft({ roll: newRoll() })}>
              <Icon name="dice" />
            </button>
          </span>
        )}
      </Field>
      <Field label="Caller’s address">
        {(id) => <Text id={id} placeholder="none" value={ip} onText={(value) => patchDraft({ ip: value })} />}
      </Field>
      {"service" in entry && (
        <>
          <Field label="Calling service">{(id) => <Text id={id} placeholder="none" value={caller} onText={(value) => patchDraft({ caller: value })} />}</Field>
          <Field label="Its labels" problem={problems.labels}>
            {(id) => <Text id={id} placeholder="app=web, tier=test" value={labels} problem={problems.labels !== undefined} onText={(value) => patchDraft({ labels: value })} />}
          </Field>
        </>
      )}
    </div>
  );
}
