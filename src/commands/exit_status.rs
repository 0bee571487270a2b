//! The exit status of the process.

use crate::terminal::complain;
use anyhow::Result;

/// The outcome of a command that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// No fault was found.
    Fine,
    /// The results are wrong.
    Wrong,
    /// Frames are missing, or the input could not be read to its end; the reason is printed already.
    Incomplete,
    /// Slower than the baseline.
    Regression,
    /// The load was unsustainable: its latency means nothing.
    Inconclusive,
    /// The load generator could not hold its schedule.
    Behind,
    /// A signal ended the run, in order.
    Interrupted,
}

impl ExitStatus {
    /// The number of the status.
    pub fn code(self) -> u8 {
        match self {
            ExitStatus::Fine => 0,
            ExitStatus::Wrong => 1,
            ExitStatus::Incomplete => 2,
            ExitStatus::Regression => 3,
            ExitStatus::Inconclusive => 4,
            ExitStatus::Behind => 5,
            ExitStatus::Interrupted => 130,
        }
    }

    /// The status with this number; without one, or with an unknown one, something is incomplete.
    pub fn of(code: Option<i32>) -> ExitStatus {
        use ExitStatus::{Behind, Fine, Inconclusive, Interrupted, Regression, Wrong};
        let all = [Fine, Wrong, Regression, Inconclusive, Behind, Interrupted];
        all.into_iter().find(|status| Some(status.code().into()) == code).unwrap_or(ExitStatus::Incomplete)
    }

    /// Whether the status says more than that something failed.
    fn is_finding(self) -> bool {
        matches!(self, ExitStatus::Wrong | ExitStatus::Regression | ExitStatus::Inconclusive | ExitStatus::Behind)
    }

    /// The status after the final steps, such as writing a record or cleaning up: their failure is printed, but does
    /// not replace a finding.
    ///
    /// # Errors
    /// If the final steps failed and there is no finding.
    pub fn after(self, last: Result<()>) -> Result<ExitStatus> {
        match last {
            Err(error) if self.is_finding() => {
                complain(format!("{error:#}"));
                Ok(self)
            }
            last => last.map(|()| self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn a_number_names_its_status() {
        let named = [Some(0), Some(3), Some(130), Some(2), Some(77), None].map(ExitStatus::of);
        use ExitStatus::{Fine, Incomplete, Interrupted, Regression};
        assert_eq!(named, [Fine, Regression, Interrupted, Incomplete, Incomplete, Incomplete]);
    }

    #[test]
    fn what_fails_last_hides_no_finding() {
        let failed = || Err(anyhow!("no space"));
        for status in [ExitStatus::Wrong, ExitStatus::Regression, ExitStatus::Inconclusive, ExitStatus::Behind] {
            assert_eq!(status.after(failed()).unwrap(), status);
            assert_eq!(status.after(Ok(())).unwrap(), status);
        }
        for status in [ExitStatus::Fine, ExitStatus::Incomplete, ExitStatus::Interrupted] {
            assert!(status.after(failed()).is_err());
            assert_eq!(status.after(Ok(())).unwrap(), status);
        }
    }
}
