import {LaneError, engine, headerLines} from './engine.js';
import * as glue from './glue/full.js';
import {withYaml} from './more.js';

export {version} from './version.js';
export {LaneError, headerLines};
const made = engine({glue, yaml: true});
export const {init, initSync, check, runTests, schema} = made;
export const Router = withYaml(made);
