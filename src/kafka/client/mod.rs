//! Clients: settings, events, and refusals by brokers.

pub mod background_close;
pub mod context;
pub mod descriptors;
pub mod outage;
pub mod properties;
pub mod recognise;
pub mod refusal;
pub mod settings;
