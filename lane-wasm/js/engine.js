// What both entry points are made of: the classes and functions that people call, over the glue of one `.wasm` file.
//
// The glue takes and gives strings. A failure is thrown by the engine as a string, too; anything else that comes out of
// it is a crash, after which the instance is not touched again: a new one takes its place, and every router is
// compiled anew from its text when it is next used. Nothing is lost by that, since a router is its text.

import {LaneError, fail, fromEngine, named} from './error.js';
import {decoded, documentText, guarded, headerLines, pathSteps, reason, requestText, texts} from './text.js';

export {LaneError, headerLines};

const LIMITS = ['rules', 'automata_bytes', 'regex_bytes', 'lanes', 'services', 'groups', 'subsets', 'condition_levels', 'document_bytes'];
const MOST_KEYS = 1_000_000;

/**
 * @param glue what the generator made
 * @param yaml whether YAML is read, too
 * @param open what a source for `init` stands for; without one, and without this, the glue knows where the file is
 * @param openSync the file, for `initSync` without a source
 */
export function engine({glue, yaml, open = (source) => source, openSync}) {
  /** Counts instances; 0 before the first. */
  let instance = 0;
  let crashed = false;
  let loading;

  async function load(source) {
    try {
      const given = await open(await source);
      await glue.default(given === undefined ? undefined : {module_or_path: given});
    } catch (cause) {
      throw fail('init', `the engine cannot be loaded: ${reason(cause)}`, 'the README says where the .wasm file comes from', cause);
    }
    instance = 1;
  }

  function init(source) {
    if (instance > 0) return Promise.resolve();
    loading ??= load(source).finally(() => {
      loading = undefined;
    });
    return loading;
  }

  function initSync(source) {
    if (instance > 0) return;
    try {
      const module = source ?? openSync?.();
      if (module === undefined) throw new TypeError('there is no file to read it from; give the bytes, or a module');
      glue.initSync({module});
    } catch (cause) {
      throw fail('init', `the engine cannot be loaded: ${reason(cause)}`, undefined, cause);
    }
    instance = 1;
  }

  /** Sees to it that there is an instance that works. */
  function ready() {
    if (instance === 0) throw fail('init', 'the engine is not loaded', 'call `await init()` first');
    if (!crashed) return;
    try {
      glue.__wbg_reset_state();
    } catch (cause) {
      throw fail('crashed', `the engine cannot be started anew: ${reason(cause)}`, undefined, cause);
    }
    crashed = false;
    instance += 1;
  }

  /** Runs something in the engine; `file` names the text that it is about. */
  function run(work, file) {
    ready();
    try {
      return work();
    } catch (thrown) {
      if (typeof thrown === 'string') throw fromEngine(thrown, file);
      if (thrown instanceof LaneError) throw thrown;
      crashed = true;
      throw fail('crashed', `the engine stopped: ${reason(thrown)}`, 'it starts anew with the next call; please report what led to this', thrown);
    }
  }

  const ask = (work, file) => JSON.parse(run(work, file));

  /** A document's text, and how the engine is to read it. */
  function reading(document, options, what) {
    return guarded('options', () => readingOf(document, options, what));
  }

  function readingOf(document, options, what) {
    const {format, file, limits, ...strange} = options ?? {};
    const unknown = Object.keys(strange)[0];
    if (unknown !== undefined) throw fail('usage', `there is no option \`${unknown}\``, 'there are format, file and limits');
    if (format !== undefined && format !== 'json' && format !== 'yaml') {
      throw fail('usage', `the format \`${String(format)}\` is not known`, 'there are json and yaml');
    }
    if (file !== undefined && typeof file !== 'string') throw fail('usage', 'the option `file` is a name');
    const text = document instanceof Uint8Array ? decoded(document, what) : document;
    const isText = typeof text === 'string';
    const named = file === undefined ? undefined : /\.json$/i.test(file) ? 'json' : /\.ya?ml$/i.test(file) ? 'yaml' : undefined;
    const chosen = isText ? (format ?? named ?? (yaml ? 'yaml' : 'json')) : 'json';
    if (chosen === 'yaml' && !yaml) throw fail('usage', 'this entry point reads JSON only', "import from 'lane/full' to read YAML");
    const bounds = Object.entries(limits ?? {}).filter(([, value]) => value !== undefined);
    for (const [name, value] of bounds) {
      if (!LIMITS.includes(name)) throw fail('usage', `there is no limit \`${name}\``, `there are ${LIMITS.join(', ')}`);
      if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw fail('usage', `the limit \`${name}\` is a whole number below 2^32`);
    }
    return {text: isText ? text : documentText(text, what), isText, file, how: JSON.stringify({yaml: chosen === 'yaml', limits: bounds})};
  }

  /** Asks a router's compiled handle: for methods that only one entry point has. */
  let askOf;

  class Router {
    static {
      askOf = (router, work) => router.#ask(work);
    }

    #document;
    #handle;
    #instance;
    #warnings;

    constructor(config, options) {
      this.#document = reading(config, options, 'configuration');
      this.#compile();
      this.#warnings = Object.freeze(named(ask(() => this.#handle.warnings()), this.#document.file));
    }

    #compile() {
      const {text, how, file} = this.#document;
      this.#handle = run(() => new glue.Handle(text, how), file);
      this.#instance = instance;
    }

    /** The compiled handle in the instance of now. */
    get #live() {
      if (this.#document === undefined) throw fail('usage', 'the router was freed');
      ready();
      if (this.#instance !== instance) this.#compile();
      return this.#handle;
    }

    #ask(work) {
      const handle = this.#live;
      return ask(() => work(handle), this.#document.file);
    }

    get warnings() {
      return this.#warnings;
    }

    ingress(request) {
      return this.#answer(request, 'ingress');
    }

    hop(request) {
      return this.#answer(request, 'hop');
    }

    inbound(request) {
      return this.#answer(request, 'inbound');
    }

    answer(request) {
      return this.#answer(request, '');
    }

    #answer(request, of) {
      const text = requestText(request);
      return this.#ask((handle) => handle.answer(text, of));
    }

    explain(request) {
      const text = requestText(request);
      return this.#ask((handle) => handle.explain(text));
    }

    trace(request, options) {
      const text = requestText(request);
      const {names, explain} = guarded('options', () => {
        const {services, explain} = options ?? {};
        return {names: services === undefined ? '' : JSON.stringify(texts(services, 'services')), explain: Boolean(explain)};
      });
      return this.#ask((handle) => handle.trace(text, names, explain));
    }

    table(options) {
      const {group, live} = guarded('options', () => ({group: String(options?.group ?? ''), live: options?.live}));
      const text = requestText({inbound: {}, live});
      return this.#ask((handle) => handle.table(group, text));
    }

    simulate(options) {
      const {name, count, given, prefix, each} = guarded('options', () => {
        const {rule, keys = 10_000, prefix = 'user-', each = false} = options ?? {};
        const clients = typeof keys === 'number' ? undefined : texts(keys, 'keys');
        const count = clients?.length ?? keys;
        return {name: ruleName(rule), count, given: clients ? JSON.stringify(clients) : '', prefix: String(prefix), each: Boolean(each)};
      });
      if (!Number.isInteger(count) || count < 1 || count > MOST_KEYS) {
        throw fail('usage', `\`keys\` is a number from 1 to ${MOST_KEYS}, or a list of so many keys`);
      }
      return this.#ask((handle) => handle.simulate(name, given, count, prefix, each));
    }

    laneOf(rule, key) {
      return this.draw(rule, key).lane;
    }

    draw(rule, key) {
      const name = ruleName(rule);
      if (typeof key !== 'string') throw fail('usage', `a key is text, not ${typeof key}`);
      return this.#ask((handle) => handle.draw(name, key));
    }

    describe() {
      return this.#ask((handle) => handle.describe(this.#text()));
    }

    locate(path) {
      const steps = JSON.stringify(pathSteps(path));
      const handle = this.#live;
      const text = this.#text();
      return text === undefined ? null : ask(() => handle.locate(text, steps));
    }

    /** The text that people wrote; none where the configuration was an object. */
    #text() {
      return this.#document.isText ? this.#document.text : undefined;
    }

    test(suite, options) {
      const {text, how, file} = reading(suite, options, 'test file');
      const handle = this.#live;
      return ask(() => handle.test(text, how), file);
    }

    stats() {
      return this.#ask((handle) => handle.stats());
    }

    free() {
      if (this.#document !== undefined && this.#instance === instance && !crashed) this.#handle.free();
      this.#document = this.#handle = undefined;
    }

    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
      this.free();
    }
  }

  return {
    init,
    initSync,
    Router,
    askOf,
    ask,
    reading,
    check(config, options) {
      const {text, how, file} = reading(config, options, 'configuration');
      return named(ask(() => glue.check(text, how), file), file);
    },
    runTests(suite, options) {
      const {text, how, file} = reading(suite, options, 'test file');
      return ask(() => glue.test(text, how), file);
    },
    schema: () => ask(() => glue.schema()),
  };
}

function ruleName(rule) {
  if (typeof rule !== 'string') throw fail('usage', '`rule` is the name of a rule, or `group/rule`');
  return rule;
}
