//! `kuu keep`, which kuu starts itself: see [`crate::system::keeper`].

use crate::commands::exit_status::ExitStatus;
use crate::system::keeper;
use anyhow::Result;

/// Runs the command.
///
/// # Errors
/// If somebody else started it, or processes do not die.
pub fn run() -> Result<ExitStatus> {
    keeper::run().map(|()| ExitStatus::Fine)
}
