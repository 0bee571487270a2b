//! How results, state and positions become permanent: at least once, exactly once.

pub mod at_least_once;
pub mod bare_transaction;
pub mod claim;
pub mod exactly_once;
pub mod interval;
pub mod offsets;
pub mod state_topic;
pub mod waiting;
