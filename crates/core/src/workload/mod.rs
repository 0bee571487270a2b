//! Streams of known truth: frames as the challenge's generator makes them, and every kind of trouble.
//!
//! [`Spec`] says what a stream is made of, [`Generator`] makes its blocks, each by itself, [`Oracle`] says from what
//! they mean how many users and frames each window has, and [`TruthFile`] keeps that. A [`Workload`] is such a stream and
//! how it reaches a topic; [`Messages`] are what the topic gets of it.

mod block;
mod calendar;
mod damage;
mod definition;
mod dice;
mod epilogue;
mod frame_writer;
mod generator;
mod in_order;
mod incident;
mod messages;
mod moments;
mod names;
mod oracle;
mod page;
mod partitioner;
mod schedule;
mod spec;
mod trouble;
mod truth_file;
mod user_set;
mod users;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use block::{GeneratedBlock, GeneratedLine, Meant};
pub use definition::{Answer, DeliveryPlan, Expected, FilePart, Key, Mistake, Tier, Transactions, Workload};
pub use epilogue::{EPILOGUE_STEPS, epilogue, epilogue_step};
pub use generator::Generator;
pub use in_order::in_order;
pub use incident::{Action, Incident, When};
pub use messages::{DeliveryStep, Messages, Role, TopicMessage};
pub use moments::{Moment, moments};
pub use oracle::Oracle;
pub use partitioner::partition_of;
pub use spec::{FRAME_BYTES, START, Spec};
pub use trouble::{Amount, Kind, Share, Trouble, ValueKind};
pub use truth_file::{Difference, FORMAT, Header, Kept, ReadError, Totals, TroubleCount, TruthFile, TruthRow, What};
pub use users::MOST_SKEWED_USERS;
