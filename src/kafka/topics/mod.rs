//! Topics as they are: their ids, what they take, whether they are still the same.

pub mod count_topics;
pub mod identity;
pub mod limits;
pub mod topic_id;
pub mod written;
