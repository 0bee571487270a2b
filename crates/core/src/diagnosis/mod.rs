//! Why an answer is wrong: mistakes as ways to count, in plain code that shares nothing with `truth`, `counter` or the
//! oracle of the workloads.
//!
//! A [`Case`] takes the messages of a workload, and knows the [`Bounds`] of a right answer, the answers that are
//! accepted of a dialect, and what each mistake makes of the messages. It keeps a few dozen bytes a frame.
//!
//! ```
//! # use kuu_core::diagnosis::{Case, in_words};
//! # use kuu_core::workload::{Spec, Workload};
//! # let text = "why = 'x'\ntier = 'contract'\n[frames]\nframes = 2000\nframe-bytes = 200\n[expect]\nread = 2000\ncounted = 2000\nwindows = 1";
//! # let workload = Workload::parse(text).unwrap();
//! let case = Case::of_made(&workload).unwrap();
//! let mut answer = case.bounds().iter().map(|(window, bounds)| (*window, bounds.max)).collect();
//! assert!(case.is_right(&answer));
//! answer.pop_last();
//! assert_eq!(in_words(&case.diagnose(&answer, &(0..=1))), "misses the last window");
//! ```

mod bounds;
mod builder;
mod calendar;
mod case;
mod check;
mod damage;
mod dialect;
mod finding;
mod lenience;
mod mistakes;
mod reading;
mod tally;
mod taste;

#[cfg(test)]
mod tests;

pub use bounds::Bounds;
pub use builder::CaseBuilder;
pub use case::Case;
pub use finding::{Diagnosis, ErrorSize, in_words};
pub use tally::UsersByWindow;
pub use taste::AcceptedAnswer;
