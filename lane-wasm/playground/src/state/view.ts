// What is looked at, rather than what is asked: dialogs, tabs, the group on show, the editor.

import { computed, signal } from "@preact/signals";
import type { ConfigEditor } from "../editor/editor";
import { gatewayOf } from "../request/model";
import { answer, answerText, description, draft, gateways } from "./store";
import { stages } from "./why";

export const dialog = signal<"examples" | "export" | "help" | null>(null);
export const tab = signal("why");

/** The group on show, where the user chose one. */
export const chosenGroup = signal<string | null>(null);

/** The gateway asked. */
export const gateway = computed(() => gatewayOf(draft.value.entry, gateways.value));

/** The decisions of the request's way, in order. */
export const allStages = computed(() => {
  const chain = answer.value?.chain;
  return chain ? stages(chain, gateway.value) : [];
});

/** The group that decided; without one, the first. */
export const decidingGroup = computed(() => allStages.value.find((stage) => stage.decision.group)?.decision.group ?? description.value?.groups[0]?.name ?? null);

/** The group whose table and endpoints are shown. */
export const shownGroup = computed(() => {
  const groups = description.value?.groups ?? [];
  return groups.find((group) => group.name === chosenGroup.value) ?? groups.find((group) => group.name === decidingGroup.value) ?? groups[0] ?? null;
});

export const editor = signal<ConfigEditor | null>(null);

/** Shows a rule in the editor. */
export function revealRule(group: string | null, rule: string): void {
  if (editor.value?.text !== answerText.value) return;
  for (const one of description.value?.groups ?? []) {
    const found = (group === null || one.name === group) && one.rules.find((candidate) => candidate.name === rule);
    if (found && found.span) return editor.value.reveal(found.span.start);
  }
}
