//! The pure core: bytes and times come in as arguments, values go out.

pub mod batch;
pub mod block;
pub mod frame;
pub mod frames;
pub mod gate;
pub mod latency;
pub mod ledger;
pub mod order;
pub mod ordered;
pub mod record;
pub mod stats;
pub mod stream;
pub mod verdict;
pub mod window;
