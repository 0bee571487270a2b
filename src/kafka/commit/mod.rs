//! Commits of results, state and positions: at least once or exactly once.

pub mod at_least_once;
pub mod bare_transaction;
pub mod claim;
pub mod exactly_once;
pub mod insist;
pub mod interval;
pub mod offsets;
pub mod state_topic;
pub mod transaction_offsets;
pub mod waiting;
