import {LaneError, engine, headerLines} from './engine.js';
import * as glue from './glue/mesh.js';
import {withMeshes, withYaml} from './more.js';

export {version} from './version.js';
export {LaneError, headerLines};
const made = engine({glue, yaml: true});
export const {init, initSync, check, runTests, schema} = made;
export const Router = withYaml(made);
export const {exportMesh, importMesh} = withMeshes(made, glue);
