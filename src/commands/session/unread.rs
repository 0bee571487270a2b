//! Streams of which no value has the members that the command line names.

use crate::commands::exit_status::ExitStatus;
use crate::terminal::{complain, plural};
use kuu_core::ledger::Ledger;
use kuu_frame::{FrameFormat, Malformed, ParserOptions};

/// If no value of a stream was read as a frame, although some are objects: what the first of them have instead.
pub fn words(ledger: &Ledger, parser: &ParserOptions) -> Option<String> {
    let of = |reason: Malformed| ledger.malformed[reason as usize];
    let (uids, times) = (of(Malformed::NoUid) + of(Malformed::BadUid), of(Malformed::NoTs) + of(Malformed::BadTs));
    let is_unread = ledger.read > 0 && ledger.malformed_total() == ledger.read;
    if !is_unread || uids + times == 0 {
        return None;
    }
    let format = &parser.format;
    let what = if uids > 0 {
        format!("a user id at {} (--uid) of type {} (--uid-type)", format.uid, format.uid_type)
    } else {
        format!("a time at {} (--ts) in format {} (--ts-format)", format.ts, format.ts_format)
    };
    Some(format!("none of {} has {what}: the first ones have {}", plural(ledger.read, "frame"), there(parser)))
}

/// If no frame has a user id and a time, although all are objects: what the first of them have instead.
pub fn keyless(frames: u64, parser: &ParserOptions) -> Option<String> {
    let FrameFormat { uid, ts, .. } = &parser.format;
    (frames > 0 && parser.sample.values() == frames).then(|| {
        format!(
            "none of {} has a user id at {uid} (--uid) and a time at {ts} (--ts): the first ones have {}",
            plural(frames, "frame"),
            there(parser)
        )
    })
}

fn there(parser: &ParserOptions) -> String {
    let members = parser.sample.members();
    if members.is_empty() { "no members".into() } else { members.join(", ") }
}

/// The exit status of a count that came to its end; says the words where it is not fine.
pub fn status(ledger: &Ledger, parser: &ParserOptions) -> ExitStatus {
    match words(ledger, parser) {
        None => ExitStatus::Fine,
        Some(words) => {
            complain(words);
            ExitStatus::Incomplete
        }
    }
}
