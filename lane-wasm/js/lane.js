import {LaneError, engine, headerLines} from './engine.js';
import * as glue from './glue/lane.js';

export {version} from './version.js';
export {LaneError, headerLines};
export const {init, initSync, Router, check, runTests, schema} = engine({glue, yaml: false});
