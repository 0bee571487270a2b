//! Runs a program so that nothing of it is left, whatever happens to kuu.
//!
//! A process of its own stands between kuu and the program: kuu again, as `kuu keep`. It is the parent of the program and
//! the subreaper (prctl(2)) of all that the program starts: a process that calls setsid and loses its parent becomes the
//! keeper's child, never init's. Its standard input is a pipe from kuu. Once that is closed, for whatever reason and be it
//! `kill -9`, the keeper kills every descendant, until it has no child. It reaps all of them, so that its own
//! rusage of children (getrusage(2)) holds the processor time of the whole tree.
//!
//! Systems other than Linux have neither subreapers nor `/proc`: there, processes that leave the program's group may be
//! left, and memory is unknown.

mod kept;
mod logs;
mod meter;
mod tree;
mod watch;
mod wire;

pub use logs::{STDERR, STDOUT, last_lines};
pub use watch::run;
pub use wire::{EndCause, EndStatus, Ended, Launch, Order, Report, SUBCOMMAND, Usage};
