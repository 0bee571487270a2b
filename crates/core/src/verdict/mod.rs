//! Results compared with the truth: folds the rows of an output topic, and compares them window by window. The rules
//! are in `docs/verify.md`.

mod compare;
mod debezium;
mod fold;
mod folded;
mod misread;
mod repetition;
#[cfg(test)]
mod tests;
mod timeline;
mod unreadable;

pub use compare::{Comparison, Line, percent};
pub use fold::{Fold, Message};
pub use folded::Repeats;
pub use timeline::{Timeline, WindowTimes};
