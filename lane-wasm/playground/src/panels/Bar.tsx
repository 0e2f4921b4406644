// The bar at the top: what this is, where the text comes from, where it goes.

import { shareLink } from "../state/store";
import { dialog } from "../state/view";
import { Icon } from "../ui/parts";
import { nextTheme, theme } from "../ui/theme";

const THEMES = { system: ["system", "as the system"], light: ["sun", "light"], dark: ["moon", "dark"] } as const;

export function Bar() {
  const [icon, word] = THEMES[theme.value];
  return (
    <header class="bar">
      <h1>
        <img src="./icon.svg" alt="" width="22" height="22" />
        lane <span>playground</span>
      </h1>
      <p class="local">
        <span class="dot" aria-hidden="true" />
        Everything runs in your browser; nothing you type leaves it.
      </p>
      <div class="actions">
        <button type="button" onClick={() => (dialog.value = "examples")}>
          Examples
        </button>
        <button type="button" onClick={() => (dialog.value = "export")}>
          Export
        </button>
        <button type="button" class="primary" onClick={() => void shareLink()}>
          <Icon name="link" /> Share
        </button>
        <button type="button" class="quiet square" aria-label={`Colours: ${word}. Change`} title={`Colours: ${word}`} onClick={nextTheme}>
          <Icon name={icon} />
        </button>
        <button type="button" class="quiet square" aria-label="Help" title="Help (?)" onClick={() => (dialog.value = "help")}>
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}
