//! One file a subcommand: wiring only.

pub mod batch;
pub mod bench;
pub mod count;
pub mod produce;
mod session;
pub mod verify;

use crate::cli::{Cli, Command};
use crate::kafka::client::refusal::explained;
use crate::terminal::complain;
use anyhow::Result;
use session::Session;

/// How a command ended, when it could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything is as it should be.
    Fine,
    /// The answer is wrong.
    Wrong,
    /// Frames are missing, or the input could not be read to its end; the words were said.
    Incomplete,
    /// Slower than the baseline.
    Regression,
    /// The load was unsustainable: its latency says nothing.
    Inconclusive,
    /// The load generator could not hold its schedule.
    Behind,
    /// A signal ended it, in order.
    Interrupted,
}

impl Status {
    /// The exit status of the process.
    pub fn code(self) -> u8 {
        match self {
            Status::Fine => 0,
            Status::Wrong => 1,
            Status::Incomplete => 2,
            Status::Regression => 3,
            Status::Inconclusive => 4,
            Status::Behind => 5,
            Status::Interrupted => 130,
        }
    }

    /// Whether it says more than that something failed.
    fn is_finding(self) -> bool {
        matches!(self, Status::Wrong | Status::Regression | Status::Inconclusive | Status::Behind)
    }

    /// The status after what was still to do, as to write a record or to clean up: a failure of that is said, but does not
    /// hide what was found before.
    ///
    /// # Errors
    /// If it failed and there was nothing to hide.
    fn after(self, last: Result<()>) -> Result<Status> {
        match last {
            Err(error) if self.is_finding() => {
                complain(format!("{error:#}"));
                Ok(self)
            }
            last => last.map(|()| self),
        }
    }
}

/// Runs the command of the command line.
///
/// # Errors
/// Usage, input or environment: exit status 2.
pub fn run(cli: Cli) -> Result<Status> {
    session::topics::check(&cli.command)?;
    let session = Session::new(cli.common)?;
    let done = match &cli.command {
        Command::Produce(arguments) => produce::run(arguments, &session),
        Command::Count(arguments) => count::run(arguments, &session),
        Command::Verify(arguments) => verify::run(arguments, &session),
        Command::Batch(arguments) => batch::run(arguments, &session),
        Command::Bench(arguments) => bench::run(arguments, &session),
    };
    done.map_err(|error| explained(error, &session.settings()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn what_fails_last_hides_no_finding() {
        let failed = || Err(anyhow!("no space"));
        for status in [Status::Wrong, Status::Regression, Status::Inconclusive, Status::Behind] {
            assert_eq!(status.after(failed()).unwrap(), status);
            assert_eq!(status.after(Ok(())).unwrap(), status);
        }
        for status in [Status::Fine, Status::Incomplete, Status::Interrupted] {
            assert!(status.after(failed()).is_err());
            assert_eq!(status.after(Ok(())).unwrap(), status);
        }
    }
}
