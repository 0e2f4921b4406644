/** `lane/full`, and lanes as resources of a mesh. The `.wasm` file is larger for it: load it where it is needed. */

import type { Config } from './config.js';
import type { ReadOptions } from './lane.js';

export * from './full.js';

/**
 * `istio`: VirtualService and DestinationRule, with what ASM adds. `asm`: ASMSwimLaneGroup and ASMSwimLane. `gateway-api`:
 * HTTPRoute. `envoy`: routes and clusters of a stock Envoy, which can be written but not read.
 */
export type MeshFormat = 'istio' | 'asm' | 'gateway-api' | 'envoy';

export interface ExportOptions extends ReadOptions {
  /** Only this group. Default: all. */
  group?: string;
  /** The gateways of groups that name none, as `NAME` or `NAMESPACE/NAME`. */
  gateways?: string[];
  /** The namespace of the resources. Default: that of the first service's host, or `default`. */
  namespace?: string;
  /** `istio`: only what upstream Istio has. */
  upstream?: boolean;
  /** `envoy`: a whole bootstrap, which runs at once. */
  with_listeners?: boolean;
  /** Whether what a mesh cannot do is a warning rather than an error. */
  lossy?: boolean;
}

export interface ImportOptions {
  /** The name of a group for which the resources have no name. Default: `imported`. */
  group?: string;
  /** The guiding header, where it cannot be told from the resources. */
  guiding_header?: string;
  /** Whether what lane cannot say is a warning rather than an error. */
  lossy?: boolean;
}

/** What a reader of the result must know: nothing is left out silently. */
export interface MeshNote {
  /** With an error the result is not what was asked for. */
  severity: 'error' | 'warning';
  /** For example `LANE0701`. */
  code: string;
  /** The name of the text that it is about; null if it has none. */
  file: string | null;
  line: number | null;
  column: number | null;
  /** The field of the configuration (export) or of the resource (import). */
  path: string;
  message: string;
  help: string | null;
  /** Offsets in UTF-16 units, where the note has a place. */
  start: number | null;
  end: number | null;
}

export interface MeshExport {
  /** The documents, in the order in which they are applied. */
  documents: object[];
  /** The same as one YAML text. */
  yaml: string;
  notes: MeshNote[];
}

export interface MeshImport {
  /** Null when there is nothing to make a configuration of. */
  config: Config | null;
  yaml: string | null;
  notes: MeshNote[];
}

/**
 * A configuration as resources of a mesh.
 * @throws {LaneError} of kind `config`, when the configuration itself is wrong
 */
export function exportMesh(config: string | Uint8Array | Config, format: MeshFormat, options?: ExportOptions): MeshExport;

/** Resources of a mesh, YAML or JSON, as a configuration. */
export function importMesh(
  files: string | Iterable<{ name: string; text: string }>,
  format: Exclude<MeshFormat, 'envoy'>,
  options?: ImportOptions,
): MeshImport;
