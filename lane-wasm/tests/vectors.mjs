// The shared vectors against one entry point of the package, in whatever runs this module.

/** @returns the cases that fail, as text, and how many there are */
export function runVectors({Router}, files) {
  const failures = [];
  let count = 0;
  for (const {name, text, cases} of files) {
    let router;
    try {
      router = new Router(text, {format: 'json'});
    } catch (error) {
      failures.push(`${name}: ${error.message}`);
      continue;
    }
    for (const {name: kase, cites, request, expect} of cases) {
      count += 1;
      const answer = attempt(() => router.answer(request));
      const wrong = differences(expect, answer);
      if (wrong.length > 0) failures.push(`${name}/${kase} (${cites.join(' ')}):\n    ${wrong.join('\n    ')}`);
      // Explaining is the same decision (S30).
      if (!('inbound' in request)) {
        const explained = attempt(() => router.explain(request).decision);
        if (!equal(explained, answer)) failures.push(`${name}/${kase}: explaining decides otherwise`);
      }
    }
    router.free();
  }
  return {count, failures};
}

function attempt(work) {
  try {
    return work();
  } catch (error) {
    return {error: error.message};
  }
}

function differences(expect, answer) {
  const wrong = Object.keys(expect).filter((key) => !equal(expect[key], answer[key]));
  return wrong.map((key) => `${key}: wanted ${JSON.stringify(expect[key])}, got ${JSON.stringify(answer[key] ?? answer.error)}`);
}

/** Deep equality of JSON: objects without regard to order, lists with it. */
export function equal(one, other) {
  if (one === null || other === null || typeof one !== 'object' || typeof other !== 'object') return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]));
}
