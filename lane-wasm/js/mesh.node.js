import {LaneError, engine, headerLines} from './engine.js';
import {files} from './files.node.js';
import * as glue from './glue/mesh.js';
import {withMeshes, withYaml} from './more.js';

export {version} from './version.js';
export {LaneError, headerLines};
const made = engine({glue, yaml: true, ...files(new URL('./glue/mesh_bg.wasm', import.meta.url))});
export const {init, initSync, check, runTests, schema} = made;
export const Router = withYaml(made);
export const {exportMesh, importMesh} = withMeshes(made, glue);
