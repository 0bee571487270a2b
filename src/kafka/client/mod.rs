//! Clients: settings, events, and refusals by brokers.

pub mod background_close;
pub mod context;
pub mod descriptors;
pub mod features;
pub mod jaas;
pub mod java;
pub mod lags;
pub mod listing;
pub mod log_lines;
pub mod outage;
pub mod own;
pub mod properties;
pub mod property;
pub mod recognise;
pub mod refusal;
pub mod settings;
