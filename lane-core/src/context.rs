//! How a lane name survives the chain, apart from the guiding header: W3C baggage ([`baggage`]), trace ids
//! ([`trace_id`]) and the table that remembers a lane for a trace id ([`table`]).

pub(crate) mod baggage;
pub(crate) mod table;
pub(crate) mod trace_id;
