// Small parts that every panel uses.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

const PATHS = {
  close: "M5 5l10 10M15 5L5 15",
  up: "M10 15V5M5.5 9.5L10 5l4.5 4.5",
  down: "M10 5v10M5.5 10.5L10 15l4.5-4.5",
  plus: "M10 4v12M4 10h12",
  dice: "M4 4h12v12H4zM7.5 7.5h.01M12.5 12.5h.01M12.5 7.5h.01M7.5 12.5h.01",
  sun: "M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7M10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4",
  moon: "M16.5 12.2A7 7 0 017.8 3.5a7 7 0 108.7 8.7z",
  system: "M3 4h14v9H3zM7 17h6M10 13v4",
  link: "M8.5 11.5l3-3M7 9L4.8 11.200a3 3 0 004.2 4.200L11.200 13M13 11l2.200-2.200a3 3 0 00-4.200-4.200L8.800 7",
  help: "M7.300 7.400a2.700 2.700 0 115.400 0c0 1.900-2.700 2.200-2.700 4.100M10 15h.01",
  refresh: "M15.500 8A6 6 0 104 11.800M15.800 3.800V8h-4.200",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface FieldProps {
  label: string;
  children: (id: string) => ComponentChildren;
  problem?: string | undefined | null;
  hint?: ComponentChildren;
  class?: string;
}

/** A labelled control, with a hint or a problem below it. */
export function Field({ label, children, problem, hint, class: name = "" }: FieldProps) {
  const id = useId();
  return (
    <div class={`field ${name}`}>
      <label for={id}>{label}</label>
      {children(id)}
      {problem ? <p class="problem-text">{problem}</p> : hint ? <p class="hint">{hint}</p> : null}
    </div>
  );
}

interface TextProps {
  value: string;
  onText: (value: string) => void;
  problem?: boolean;
  class?: string;
  id?: string;
  placeholder?: string;
  maxLength?: number;
  inputMode?: "numeric";
  list?: string;
  "aria-label"?: string;
}

/** A one-line text as typed: no correction, no capitals, the code font. */
export function Text({ value, onText, problem, class: name = "", ...rest }: TextProps) {
  return (
    <input
      type="text"
      class={`mono ${name}`}
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      aria-invalid={problem ? "true" : undefined}
      value={value}
      onInput={(event) => onText(event.currentTarget.value)}
      {...rest}
    />
  );
}

/** A modal dialog; Escape and a click beside it close it. */
export function Dialog({ open, onClose, title, children, wide }: { open: boolean; onClose: () => void; title: string; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key can come: an Escape between content and dialog would be lost.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (open && dialog && !dialog.open) dialog.showModal();
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-labelledby={id} onClose={onClose} onClick={(event) => event.target === ref.current && onClose()}>
      {open && (
        <div class="dialog-body">
          <header>
            <h2 id={id}>{title}</h2>
            <button type="button" class="quiet square" aria-label="Close" onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
          {children}
        </div>
      )}
    </dialog>
  );
}

export interface Tab {
  id: string;
  label: ComponentChildren;
  panel: () => ComponentChildren;
}

/** Tabs with the arrow keys of the ARIA pattern. */
export function Tabs({ tabs, active, onSelect, label }: { tabs: Tab[]; active: string; onSelect: (id: string) => void; label: string }) {
  const base = useId();
  const chosen = tabs.find((tab) => tab.id === active) ?? tabs[0];
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === chosen?.id);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length]!;
    onSelect(next.id);
    document.getElementById(`${base}-${next.id}`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            type="button"
            key={tab.id}
            id={`${base}-${tab.id}`}
            role="tab"
            aria-selected={tab.id === chosen?.id}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === chosen?.id ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${chosen?.id}`} tabIndex={0} class="tabpanel">
        {chosen?.panel()}
      </div>
    </div>
  );
}
