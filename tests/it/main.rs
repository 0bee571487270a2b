//! Drives the built binary: over files, over an embedded broker in this process, and (ignored unless asked for) over
//! real Kafka. The wire types are declared here again, so that a change of format does not go unnoticed.

#![allow(clippy::print_stderr, clippy::print_stdout)]

mod architecture;
mod bench;
mod broker;
mod crash;
mod crash_clocks;
mod crash_poison;
mod crash_topics;
mod damage;
mod dead_threads;
mod dying;
mod files;
mod folding;
mod follow;
mod frames;
mod gate;
mod history;
mod identity;
mod inputs;
mod kafka;
mod keys;
mod kuu;
mod letters;
mod limits;
mod offsets;
mod outage;
mod own_broker;
mod receipts;
mod refilled;
mod refusal;
mod replay;
mod robust;
mod screen;
mod security;
mod stall;
mod topics;
mod usage;
mod verdict;
mod wild;
mod wire;
