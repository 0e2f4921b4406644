//! What the tests of several crates share: an oracle that reads the semantics literally and shares no code
//! with the router, generators of configurations and requests on which the two are compared, and the shared
//! vectors that every language runs.

pub mod generate;
pub mod oracle;
pub mod vectors;
