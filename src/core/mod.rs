//! The pure core: bytes and times come in as arguments, values go out.

pub mod frame;
