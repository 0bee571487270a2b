//! `kuu formats`: writes frames in other formats than JSON, and shows what each is worth.

#[cfg(feature = "formats")]
mod measured;

#[cfg(feature = "formats")]
pub use measured::run;

/// Runs the command.
///
/// # Errors
/// Always: the libraries of the formats are not part of this build.
#[cfg(not(feature = "formats"))]
pub fn run(
    _: &crate::cli::FormatsArgs,
    _: &crate::commands::session::Session,
) -> anyhow::Result<crate::commands::exit_status::ExitStatus> {
    anyhow::bail!("this kuu was built without the libraries of other formats: cargo build --release --features formats")
}
