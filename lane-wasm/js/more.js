// What `lane/full` has beyond `lane`, and `lane/mesh` beyond that.

import {fail} from './error.js';
import {guarded} from './text.js';

export function withYaml({Router: JsonRouter, askOf}) {
  return class Router extends JsonRouter {
    static fromYaml(text, options) {
      return new this(text, {...options, format: 'yaml'});
    }

    config() {
      return askOf(this, (handle) => handle.config());
    }
  };
}

const EXPORT = ['group', 'gateways', 'namespace', 'upstream', 'with_listeners', 'lossy'];
const IMPORT = ['group', 'guiding_header', 'lossy'];

export function withMeshes({ask, reading}, glue) {
  /** The options that an export or an import knows, as JSON, and those of reading. */
  const split = (format, options, known) =>
    guarded('options', () => {
      const mesh = {format: String(format)};
      const rest = {};
      for (const [name, value] of Object.entries(options ?? {})) (known.includes(name) ? mesh : rest)[name] = value;
      return {mesh: JSON.stringify(mesh), rest};
    });
  return {
    exportMesh(config, format, options) {
      const {mesh, rest} = split(format, options, EXPORT);
      const {text, isText, how, file} = reading(config, rest, 'configuration');
      const exported = ask(() => glue.export_mesh(text, how, isText, mesh), file);
      return {...exported, notes: exported.notes.map((note) => ({...note, file: note.file === null ? null : (file ?? null)}))};
    },

    importMesh(files, format, options) {
      const {mesh, rest} = split(format, options, IMPORT);
      const strange = Object.keys(rest)[0];
      if (strange !== undefined) throw fail('usage', `there is no option \`${strange}\``, `there are ${IMPORT.join(', ')}`);
      const list = guarded('files', () => {
        const given = typeof files === 'string' ? [{name: 'resources', text: files}] : [...files].map(({name, text}) => ({name, text}));
        if (!given.every(({name, text}) => typeof name === 'string' && typeof text === 'string')) throw fail('usage', 'a file has a `name` and a `text`');
        return given;
      });
      const imported = ask(() => glue.import_mesh(JSON.stringify(list), mesh));
      return {...imported, notes: imported.notes.map((note) => ({...note, file: note.file === null ? null : list[note.file].name}))};
    },
  };
}
