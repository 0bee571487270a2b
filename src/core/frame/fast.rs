//! The fast parser.
/// For now the plain one.
pub use super::plain::Parser;
