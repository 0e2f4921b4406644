// The one error that this package throws. Both entry points share it.

/** Keeps the constructor to this package: an error is made from what the engine says. */
const OWN = Symbol('lane');

/** Messages quote what users write, and users write anything. */
const LONGEST = 1_000;

export class LaneError extends Error {
  constructor(own, {kind, message, diagnostics = [], problems = [], unparsable = false}, cause) {
    if (own !== OWN) throw new TypeError('a LaneError is made by lane only');
    super(message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message, cause === undefined ? undefined : {cause});
    // Data, but not what a console prints beside the message.
    for (const [name, value] of Object.entries({kind, diagnostics: Object.freeze(diagnostics), problems: Object.freeze(problems), unparsable})) {
      Object.defineProperty(this, name, {value, enumerable: name === 'kind'});
    }
  }
}
Object.defineProperty(LaneError.prototype, 'name', {value: 'LaneError', configurable: true, writable: true});

export function fail(kind, message, help, cause) {
  return new LaneError(OWN, {kind, message: help ? `${message} (${help})` : message}, cause);
}

/** What the engine threw: JSON of a failure. `file` is the name under which a text is known. */
export function fromEngine(json, file) {
  const failure = JSON.parse(json);
  if (failure.kind === 'usage') return fail('usage', failure.message, failure.help);
  if (failure.kind === 'request') {
    const parts = failure.problems.map(({path, message, help}) => `${path ? `\`${path}\`: ` : ''}${message}${help ? ` (${help})` : ''}`);
    return new LaneError(OWN, {...failure, message: parts.join('; ')});
  }
  const diagnostics = named(failure.diagnostics, file);
  return new LaneError(OWN, {...failure, diagnostics, message: summary(diagnostics)});
}

/** The diagnostics with the file's name, in the order of `lane check --json`. */
export function named(diagnostics, file) {
  return diagnostics.map(({severity, code, ...rest}) => ({severity, code, file: file ?? null, ...rest}));
}

/** The first error as the command prints it, and how many more there are. */
function summary(diagnostics) {
  const errors = diagnostics.filter(({severity}) => severity === 'error');
  const {file, line, column, code, path, message, help} = errors[0];
  const more = errors.length === 1 ? '' : `, and ${errors.length - 1} more ${errors.length === 2 ? 'error' : 'errors'}`;
  return `${file ?? 'configuration'}:${line}:${column}: ${code}: ${path ? `${path}: ` : ''}${message}${help ? ` (${help})` : ''}${more}`;
}
