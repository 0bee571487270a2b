//! The input of kuu, from the same sources but without librdkafka, whose `configure` fails under cargo-fuzz
//! ("argument list too long").

#[path = "../../src/engine/mod.rs"]
pub mod engine;
#[path = "../../src/input/mod.rs"]
pub mod input;
#[path = "../../src/system"]
pub mod system {
    pub mod clock;
    pub mod fault;
    pub mod memory;
    pub mod spares;
}
