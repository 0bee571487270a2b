//! All communication with brokers, through librdkafka.

pub mod admin;
pub mod client;
pub mod commit;
pub mod consume;
pub mod headers;
pub mod positions;
pub mod produce;
pub mod topics;
