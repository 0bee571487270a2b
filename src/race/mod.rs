//! Engines on the same frames, measured from outside.

pub mod building;
pub mod cell;
pub mod claims;
pub mod command_words;
pub mod descriptor;
pub mod drive;
pub mod engines;
pub mod entrant;
pub mod epilogue;
pub mod feeding;
pub mod incidents;
pub mod input;
pub mod judge;
pub mod live;
pub mod observer;
pub mod pacing;
pub mod question;
pub mod receipt;
pub mod running;
pub mod scorecard;
pub mod setup;
pub mod source;
pub mod speed;
pub mod supervisor;
pub mod watching;
