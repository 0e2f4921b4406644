// The gallery.

import { EXAMPLES } from "../state/bundled";
import { loadExample, text } from "../state/store";
import { chosenGroup, dialog } from "../state/view";
import { Dialog } from "../ui/parts";
import { Code } from "./Config";

export function Examples() {
  const close = () => (dialog.value = null);
  return (
    <Dialog open={dialog.value === "examples"} onClose={close} title="Examples" wide>
      <ul class="gallery">
        {EXAMPLES.map((example) => (
          <li key={example.id}>
            <button
              type="button"
              aria-current={text.value === example.text ? "true" : undefined}
              onClick={() => {
                chosenGroup.value = null;
                loadExample(example);
                close();
              }}
            >
              <b>{example.title}</b>
              <span>
                <Code text={example.about} />
              </span>
              <code>examples/{example.id}.yaml</code>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
