// A pasted `curl` line as a request, and a request as a `curl` line.

import type { Draft, HeaderLine } from "./model";
import { quote, shellWords } from "./shell";
import { splitUrl } from "./url";

/** What a curl line says about the request, and what of it the page does not use. */
export interface CurlRequest {
  method: string;
  url: string;
  headers: HeaderLine[];
  /** Options that change the request in ways that no decision looks at, or that cannot be read here. */
  ignored: string[];
}

/** Options with a value; those without are all others. The list is curl's, as far as browsers and people use it. */
const WITH_VALUE = new Set(
  ("-X --request -H --header -b --cookie -A --user-agent -e --referer -u --user -d --data --data-raw --data-binary --data-ascii " +
    "--data-urlencode --json -F --form --form-string -T --upload-file --url -o --output -m --max-time --connect-timeout -x --proxy " +
    "--resolve --connect-to --cacert --cert -E --key --capath -w --write-out -c --cookie-jar --interface --retry --retry-delay " +
    "--limit-rate --max-redirs --oauth2-bearer -r --range --unix-socket -K --config -D --dump-header --ciphers --tls-max --aws-sigv4 " +
    "--http2-settings --url-query --variable --noproxy -U --proxy-user -y --speed-time -Y --speed-limit -z --time-cond -C --continue-at " +
    "--stderr --trace --trace-ascii --dns-servers --local-port --keepalive-time --max-filesize --proto --proto-default --socks5 " +
    "--socks5-hostname --service-name --happy-eyeballs-timeout-ms --expect100-timeout --request-target --create-file-mode").split(" "),
);

/** Without effect on what is sent, so not worth a word. */
const SILENT = new Set(
  ("-s --silent -S --show-error -v --verbose -i --include -k --insecure -L --location --compressed -f --fail --globoff -g -N --no-buffer " +
    "--http1.1 --http2 --http2-prior-knowledge --http3 --progress-bar -# -o --output -w --write-out -m --max-time --connect-timeout --retry").split(" "),
);

const DATA = new Set(["-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json", "-F", "--form", "--form-string"]);

/** Characters of a line: more than any gateway takes as a request's head. */
export const MAX_LINE = 262_144;

/** Whether a pasted text is meant as a curl line. */
export function looksLikeCurl(text: string): boolean {
  return /^\s*(\$\s+)?curl(\.exe)?\s/.test(text);
}

/** Reads a curl line. Nothing is fetched and no file is read. */
export function parseCurl(text: string): CurlRequest | { problem: string } {
  if (text.length > MAX_LINE) return { problem: `the line has ${text.length} characters, and ${MAX_LINE} are the most that are read` };
  const line = text.trim().replace(/^\$\s+/, "");
  const words = shellWords(line);
  if (!Array.isArray(words)) return words;
  const [command, ...rest] = words;
  if (!command || !/^(.*[\\/])?curl(\.exe)?$/.test(command)) return { problem: "the line does not begin with `curl`" };
  const reader = new Reader();
  for (const { option, value } of options(rest)) reader.take(option, value);
  return reader.result();
}

/** Options and their values; an operand is an option without a name. Short options may stand together (`-sXPOST`). */
function* options(words: string[]): Generator<{ option: string; value: string | undefined }> {
  let only = false;
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i]!;
    if (only || word === "-" || !word.startsWith("-")) {
      yield { option: "", value: word };
    } else if (word === "--") {
      only = true;
    } else if (word.startsWith("--")) {
      const value = WITH_VALUE.has(word) ? words[(i += 1)] : undefined;
      yield { option: word, value };
    } else {
      for (let at = 1; at < word.length; at += 1) {
        const option = `-${word[at]}`;
        if (!WITH_VALUE.has(option)) {
          yield { option, value: undefined };
          continue;
        }
        const attached = word.slice(at + 1);
        yield { option, value: attached !== "" ? attached : words[(i += 1)] };
        break;
      }
    }
  }
}

class Reader {
  private method: string | undefined;
  private fallback = "GET";
  private url: string | undefined;
  private query: string[] = [];
  private data: string[] = [];
  private get = false;
  private readonly headers: HeaderLine[] = [];
  private readonly ignored: string[] = [];
  private problem: string | undefined;

  take(option: string, value: string | undefined): void {
    if (WITH_VALUE.has(option) && value === undefined) {
      this.problem ??= `\`${option}\` wants a value`;
      return;
    }
    const text = value ?? "";
    if (option === "" || option === "--url") {
      if (this.url === undefined) this.url = text;
      else this.ignored.push(text);
    } else if (option === "-X" || option === "--request") this.method = text;
    else if (option === "-H" || option === "--header") this.header(text);
    else if (option === "-A" || option === "--user-agent") this.headers.push(["user-agent", text]);
    else if (option === "-e" || option === "--referer") this.headers.push(["referer", text]);
    else if (option === "--oauth2-bearer") this.headers.push(["authorization", `Bearer ${text}`]);
    else if (option === "-u" || option === "--user") this.headers.push(["authorization", `Basic ${base64(text)}`]);
    else if (option === "-b" || option === "--cookie") {
      // Without `=` it is the name of a file.
      if (text.includes("=")) this.headers.push(["cookie", text]);
      else this.ignored.push(`${option} ${text}`);
    } else if (option === "--url-query") this.query.push(text.replace(/^\+/, ""));
    else if (DATA.has(option)) {
      this.fallback = "POST";
      this.data.push(text);
      if (option === "--json") this.headers.push(["content-type", "application/json"], ["accept", "application/json"]);
    } else if (option === "-T" || option === "--upload-file") this.fallback = "PUT";
    else if (option === "-I" || option === "--head") this.fallback = "HEAD";
    else if (option === "-G" || option === "--get") this.get = true;
    else if (!SILENT.has(option)) this.ignored.push(value === undefined ? option : `${option} ${text}`);
  }

  private header(text: string): void {
    const at = text.indexOf(":");
    const name = (at < 0 ? text.replace(/;\s*$/, "") : text.slice(0, at)).trim();
    if (name === "" || text.startsWith("@")) this.ignored.push(`-H ${text}`);
    else if (at >= 0 && text.slice(at + 1).trim() === "") return; // `Name:` takes a header away
    else this.headers.push([name, at < 0 ? "" : text.slice(at + 1).trim()]);
  }

  result(): CurlRequest | { problem: string } {
    if (this.problem) return { problem: this.problem };
    if (this.url === undefined) return { problem: "the line names no URL" };
    const query = [...this.query, ...(this.get ? this.data : [])].join("&");
    const [before, fragment] = cut(this.url, "#");
    const url = query === "" ? before : `${before}${before.includes("?") ? "&" : "?"}${query}`;
    // curl sends the host of the URL unless a header says another.
    const host = this.headers.findIndex(([name]) => name.toLowerCase() === "host");
    const named = host < 0 ? url : withHost(url, this.headers.splice(host, 1)[0]![1]);
    const method = this.method ?? (this.get ? "GET" : this.fallback);
    return { method: method.toUpperCase(), url: fragment === undefined ? named : `${named}#${fragment}`, headers: this.headers, ignored: this.ignored };
  }
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function withHost(url: string, host: string): string {
  const { scheme, path } = splitUrl(url);
  return `${scheme ? `${scheme}://` : ""}${host}${path ?? "/"}`;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** The request as a curl line against the gateway. */
export function toCurl(draft: Draft): string {
  const { scheme, authority, path } = splitUrl(draft.url.trim());
  const url = `${scheme ?? "http"}://${authority ?? "localhost"}${path ?? "/"}`;
  const words = ["curl"];
  if (draft.method !== "" && draft.method !== "GET") words.push("-X", quote(draft.method));
  words.push(quote(url));
  // `name;` is curl's way to send a header without a value.
  for (const [name, value] of draft.headers) if (name !== "") words.push("-H", quote(value === "" ? `${name};` : `${name}: ${value}`));
  return words.join(" ");
}
