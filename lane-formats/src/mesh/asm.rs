//! ASM's own lanes: an ASMSwimLaneGroup and its ASMSwimLanes, from which ASM makes Istio's resources itself.
//!
//! What the documents leave open is read so: an ingress rule without `match.headers` holds for requests whose route
//! header names its lane, one with `match.headers` for exactly these; a rule that is not `online` is none. In which
//! order ASM tries the rules of several lanes no document says.

mod export;
mod import;

pub(super) use export::export;
pub(super) use import::import;

/// The API group and version of both kinds.
const VERSION: &str = "istio.alibabacloud.com/v1";
/// The label of a lane that names its group.
const GROUP_LABEL: &str = "swimlane-group";
