// A page of help: what is where, which keys there are.

import { dialog } from "../state/view";
import { Dialog } from "../ui/parts";

const KEYS: [string, string][] = [
  ["Alt 1, 2, 3", "to the configuration, the request, the answer"],
  ["Ctrl Space", "what may be written here"],
  ["F8", "the next problem in the text"],
  ["Ctrl F", "find in the text"],
  ["Tab", "indent; after Escape, Tab leaves the editor"],
  ["?", "this help"],
];

export function Help() {
  return (
    <Dialog open={dialog.value === "help"} onClose={() => (dialog.value = null)} title="About this page">
      <div class="prose">
        <p>
          <b>lane</b> decides which version of each service a request meets, all along its chain of calls. Here the same engine that the command and the proxies use runs as WebAssembly in a worker of this page. The page’s content
          security policy lets it load its own files and nothing else, so a configuration cannot leave your browser.
        </p>
        <p>
          A share link holds everything itself, compressed, behind the <code>#</code> of the address. Browsers do not send that part to any server; whoever has the link has the configuration.
        </p>
        <dl class="keys">
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <p class="hint">On a Mac, Cmd takes the place of Ctrl in the editor.</p>
      </div>
    </Dialog>
  );
}
