//! stub
use super::{Status, session::Session};
use anyhow::Result;
/// stub
/// # Errors
pub fn run(_: &crate::cli::Bench, _: &Session) -> Result<Status> {
    todo!()
}
