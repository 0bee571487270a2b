//! Topics as they are: their ids, what they take, whether they are still the same.

pub mod identity;
pub mod limits;
pub mod topic_id;
