import { describe, expect, test } from "vitest";
import { looksLikeCurl, parseCurl, toCurl } from "../../src/request/curl";
import { emptyDraft } from "../../src/request/model";
import { quote, shellWords } from "../../src/request/shell";

const read = (line: string) => {
  const result = parseCurl(line);
  if ("problem" in result) throw new Error(result.problem);
  return result;
};

describe("curl lines", () => {
  test("as a browser copies them", () => {
    const line = `curl 'https://shop.example/cart?x=1' \\
  -H 'accept: */*' \\
  -H $'x-name: it\\'s \\u00e9' \\
  -b 'uid=7; beta=1' \\
  --data-raw '{"a":1}' \\
  --compressed`;
    expect(read(line)).toEqual({
      method: "POST",
      url: "https://shop.example/cart?x=1",
      headers: [["accept", "*/*"], ["x-name", "it's é"], ["cookie", "uid=7; beta=1"]],
      ignored: [],
    });
  });

  test("short options stand together, values stand with their option", () => {
    expect(read("curl -sSXDELETE -Hx-a:b http://h/p")).toMatchObject({ method: "DELETE", headers: [["x-a", "b"]], url: "http://h/p" });
    expect(read("curl -I h/p").method).toBe("HEAD");
    expect(read("curl --head h").method).toBe("HEAD");
    expect(read("curl -G -d a=1 -d b=2 h/p?c=3")).toMatchObject({ method: "GET", url: "h/p?c=3&a=1&b=2" });
    expect(read("curl -T file h/p").method).toBe("PUT");
  });

  test("a host header is the authority", () => {
    expect(read("curl http://127.0.0.1:8080/mock?x=1 -H 'Host: shop.example'")).toMatchObject({ url: "http://shop.example/mock?x=1", headers: [] });
  });

  test("headers: empty ones, taken ones, users, agents", () => {
    expect(read("curl h -H 'x-empty;' -H 'accept:' -A me -u a:b").headers).toEqual([["x-empty", ""], ["user-agent", "me"], ["authorization", "Basic YTpi"]]);
  });

  test("what has no meaning here is told", () => {
    expect(read("curl h -x http://proxy --cert c.pem other").ignored).toEqual(["-x http://proxy", "--cert c.pem", "other"]);
    expect(read("curl h -b jar.txt").ignored).toEqual(["-b jar.txt"]);
    expect(read("curl h | jq .").ignored).toEqual([]);
  });

  test("what cannot be read is told", () => {
    expect(parseCurl("wget http://h")).toEqual({ problem: "the line does not begin with `curl`" });
    expect(parseCurl("curl -H 'x: y")).toEqual({ problem: "a single quote is not closed" });
    expect(parseCurl('curl -H "x: y')).toEqual({ problem: "a double quote is not closed" });
    expect(parseCurl("curl -s")).toEqual({ problem: "the line names no URL" });
    expect(parseCurl("curl h -H")).toEqual({ problem: "`-H` wants a value" });
    expect(looksLikeCurl("  curl http://h")).toBe(true);
    expect(looksLikeCurl("curly http://h")).toBe(false);
  });

  test("written and read again", () => {
    const draft = { ...emptyDraft(), method: "PUT", url: "https://shop.example/a b?x='1'", headers: [["x-q", `it's "$HOME" \\ done`], ["x-empty", ""]] as [string, string][] };
    const again = read(toCurl(draft));
    expect(again).toEqual({ method: "PUT", url: draft.url, headers: draft.headers, ignored: [] });
  });
});

test("shell words", () => {
  expect(shellWords(`a 'b c' "d \\"e\\" \\n" f\\ g '' x'y'"z"`)).toEqual(["a", "b c", 'd "e" \\n', "f g", "", "xyz"]);
  for (const word of ["", "a", "it's", "$x `y` \\", "new\nline", "ünï"]) expect(shellWords(quote(word))).toEqual([word]);
});
