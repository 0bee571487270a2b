//! Topics of a count: their ids, their limits, and whether they are still the same.

pub mod count_topics;
pub mod identity;
pub mod limits;
pub mod topic_id;
pub mod written;
