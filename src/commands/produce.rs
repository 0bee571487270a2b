//! `kuu produce`: sends the frames of files to a topic, and reports the outcome of every one.

mod filling;
mod pacing;
mod produced;
mod progress;
mod workload;

use crate::cli::ProduceArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::receipts;
use crate::commands::session::unread;
use crate::commands::session::{self, Session};
use crate::input::{self, Progress};
use crate::kafka::admin::Cluster;
use crate::kafka::produce::fitting::sender_for;
use crate::kafka::produce::paced::{PacedReport, PacedSender};
use crate::terminal::complain;
use anyhow::Result;
use filling::{begin, config, ends, foreign, of_either, prepare, replaced};
use kuu_core::configuration::{Configuration, ProduceConfig};
use kuu_core::record::Topic;
use produced::Produced;
use progress::ReplayProgress;
use std::sync::Arc;
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// If the broker cannot be reached, or the topic must not be filled.
pub fn run(arguments: &ProduceArgs, session: &Session) -> Result<ExitStatus> {
    if let Some(name) = &arguments.workload {
        return workload::run(arguments, session, name);
    }
    // A wrong file name must not cause the deletion of a topic.
    input::check(&arguments.files)?;
    let parser = arguments.frames.options();
    let plan = pacing::plan(arguments, session, &parser)?;
    let cluster = Cluster::connect(&session.settings())?;
    let earlier = prepare(arguments, session, &cluster, &[])?;
    let schedule = pacing::schedule(arguments);
    // A frame that is due now must not wait for others.
    let linger = schedule.as_ref().map(|_| ("linger.ms", "1"));
    let sender = sender_for(&cluster, &arguments.topic, arguments.compression, linger.as_slice())?.until(&session.stop);
    let mut sender = PacedSender::new(sender, schedule, &session.stop).within(arguments.pacing.time);
    let partitions = cluster.partitions(&arguments.topic)?.unwrap_or(0);
    let topic = Topic { name: arguments.topic.clone(), partitions, id: cluster.id(&arguments.topic)? };
    let before = ends(&cluster, &topic.name)?;
    begin(arguments, session, &topic)?;

    let started = Instant::now();
    let progress = Arc::new(ReplayProgress::new(arguments, plan.sent.clone()));
    let bar = progress.bar(session.screen);
    let tell = move |read: &Progress| progress.note(read);
    let replayed = plan.run(&mut sender, &session.stop, tell);
    let PacedReport { outcome, schedule } = sender.finish();
    bar.finish_and_clear();
    let produced = Produced { replayed, outcome, schedule, elapsed: started.elapsed() };
    let outcome = &produced.outcome;
    let replaced = replaced(session, &cluster, &topic);

    // The hash of a file that is not read to its end is unknown, so a later check could not tell whether it is the
    // same.
    let complete = !session.stop.interrupted() && replaced.is_none() && outcome.unknown == 0;
    let foreign = foreign(session, &cluster, &topic.name, before, outcome);
    let config = ProduceConfig { unlisted_frames: earlier.unlisted + foreign, ..config(arguments, complete) };
    let mut record = session.record(Configuration::Produce, config);
    record.broker = Some(session::broker(&cluster));
    record.topic = Some(of_either(&topic, replaced.is_some()));
    produced.fill(&mut record)?;
    if let Some(words) = &replaced {
        complain(words);
        record.remarks.push(words.clone());
    }
    record.remarks.extend(produced.remarks(arguments, session));
    record.input.splice(0..0, earlier.input);
    let saved = session.print(&record).and_then(|()| receipts::store(session, &topic, &record));
    produced.report(arguments, session);
    if let Some(words) = unread::keyless(produced.replayed.frames, &parser) {
        complain(format!("{words}; they were sent without a key where the user id is missing"));
    }
    let status = produced.status(arguments, session, replaced.is_some());
    status.after(saved.map(|path| session.screen.say(format!("record: {}", path.display()))))
}
