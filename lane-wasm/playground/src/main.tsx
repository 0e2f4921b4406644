import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/answer.css";
import "./styles/details.css";
import "./styles/dialogs.css";
import "./styles/editor.css";
import { render } from "preact";
import { App } from "./panels/App";
import { openFirst, openLink, startEvaluating, startKeeping } from "./state/store";
import { startTheme } from "./ui/theme";

startTheme();
addEventListener("hashchange", () => void openLink());
// A link first, so that the example does not flash by.
void openFirst().finally(() => {
  startEvaluating();
  startKeeping();
  render(<App />, document.getElementById("page")!);
});
