//! Readers of topics: frames for the counter, and whole topics message by message.

pub mod inbox;
pub mod listener;
pub mod lost_ends;
pub mod reader;
pub mod readers;
pub mod whole_topic;
