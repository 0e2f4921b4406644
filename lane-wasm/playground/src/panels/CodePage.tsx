// The page of a diagnostic: what it means, what is wrong and right. Fetched when somebody asks for one.

import address from "../../../pkg/codes.json?url";
import { signal } from "@preact/signals";
import { Dialog } from "../ui/parts";
import { Code } from "./Config";

type Pages = Record<string, { title: string; page: string }>;

const open = signal<string | null>(null);
const pages = signal<Pages | null>(null);
const problem = signal<string | null>(null);

export async function showCode(code: string): Promise<void> {
  open.value = code;
  if (pages.value) return;
  try {
    const answer = await fetch(new URL(address, import.meta.url));
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    pages.value = (await answer.json()) as Pages;
    problem.value = null;
  } catch (error) {
    problem.value = `The pages of the codes could not be loaded (${error instanceof Error ? error.message : String(error)}); \`lane explain ${code}\` prints the same.`;
  }
}

export function CodePage() {
  const code = open.value;
  const page = code ? pages.value?.[code] : undefined;
  return (
    <Dialog open={code !== null} onClose={() => (open.value = null)} title={page ? `${code}: ${page.title}` : (code ?? "")}>
      <div class="prose">
        {page ? <Markdown text={page.page.replace(/^# .*\n/, "")} /> : <p>{problem.value ? <Code text={problem.value} /> : pages.value ? "This code has no page." : "…"}</p>}
      </div>
    </Dialog>
  );
}

/** As much Markdown as the pages use: paragraphs, blocks of code, words of code. */
function Markdown({ text }: { text: string }) {
  const parts = text.split(/^```.*\n([^]*?)^```\n?/m);
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 1 ? (
          <pre key={index} tabIndex={0}>
            {part.trimEnd()}
          </pre>
        ) : (
          part
            .split(/\n\s*\n/)
            .filter((paragraph) => paragraph.trim() !== "")
            .map((paragraph) => (
              <p key={paragraph}>
                <Code text={paragraph.trim()} />
              </p>
            ))
        ),
      )}
    </>
  );
}
