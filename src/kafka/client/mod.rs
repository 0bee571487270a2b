//! Clients: their settings, what they report on the side, and why a broker refuses them.

pub mod background_close;
pub mod context;
pub mod descriptors;
pub mod outage;
pub mod properties;
pub mod recognise;
pub mod refusal;
pub mod settings;
