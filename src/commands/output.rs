//! `kuu output`: prints the topic of results.

mod printed;

use crate::cli::OutputArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::{self, Session, topics};
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::consume::whole_topic::{ScannedMessage, read_all, read_until};
use crate::terminal::Screen;
use crate::verification::check::hidden;
use anyhow::{Context as _, Result, bail};
use kuu_core::result::RowFormat;
use kuu_core::verdict::{Fold, Message, Repeats};
use kuu_core::window::Unit;
use printed::{followed, settled};
use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

/// How often a topic that is followed is checked: it may have been made anew, or got partitions.
const CHECK: Duration = Duration::from_secs(2);

/// Runs the command.
///
/// # Errors
/// If the topic cannot be read.
pub fn run(arguments: &OutputArgs, session: &Session) -> Result<ExitStatus> {
    let output = Output {
        topic: &arguments.output,
        units: session::units(&arguments.window),
        format: session::row_format(&arguments.rows, &session::units(&arguments.window))?,
        session,
    };
    let cluster = Cluster::connect(&session.settings())?;
    if !arguments.follow {
        if cluster.partitions(output.topic)?.is_none() {
            bail!("there is no topic {}: run `kuu count`, or name another with --output", output.topic);
        }
        return output.once(&cluster, &cluster.ranges(output.topic)?).map(|()| ExitStatus::Fine);
    }
    while topics::awaited(session, &cluster, output.topic, "kuu count makes it")? {
        if output.follow(&cluster)? {
            break;
        }
        let screen = Screen { to_stderr: true, ..session.screen };
        screen.say(format!("topic {} was made anew or has more partitions: it is read again", output.topic));
    }
    Ok(ExitStatus::Interrupted)
}

/// The topic and what is printed of it.
struct Output<'a> {
    topic: &'a str,
    /// The units that are printed; all, if there are none.
    units: Vec<Unit>,
    format: RowFormat,
    session: &'a Session,
}

impl Output<'_> {
    /// Prints the windows of these ranges, each as a consumer of the topic has it in the end.
    fn once(&self, cluster: &Cluster, ranges: &[Range]) -> Result<()> {
        let only = (!self.units.is_empty()).then_some(&self.units[..]);
        let mut fold = Fold::new(Repeats::Allowed, only).of(self.format.clone());
        let all = cluster.uncommitted_ranges(self.topic)?;
        read_all(cluster.settings(), self.topic, ranges, |row| {
            fold.take(&Message { partition: row.partition, offset: row.offset, key: row.key, value: row.value });
            Ok(())
        })?;
        let found = fold.compare([]);
        let remarks = Screen { to_stderr: true, ..self.session.screen };
        for words in found.misread.iter().chain(&found.unreadable) {
            remarks.say(format!("{}, {words}", self.topic));
        }
        hidden(self.topic, "output", &all, ranges).iter().for_each(|words| remarks.say(words));
        self.print(&if self.session.common.json { settled(&found) } else { printed::table(&found) })
    }

    /// Prints what is there, then each row as it comes; returns whether an interrupt ended it: else the topic is another
    /// one.
    fn follow(&self, cluster: &Cluster) -> Result<bool> {
        let id = cluster.id(self.topic)?;
        let mut ranges = cluster.ranges(self.topic)?;
        self.once(cluster, &ranges)?;
        ranges.iter_mut().for_each(|range| range.low = range.high);
        let mut checked = Instant::now();
        let mut is_other = false;
        let mut failed = None;
        let done = || {
            if checked.elapsed() >= CHECK {
                checked = Instant::now();
                // While the brokers are away, nothing is known.
                is_other = cluster.partitions(self.topic).is_ok_and(|now| now != Some(ranges.len()))
                    || cluster.id(self.topic).is_ok_and(|now| now != id);
            }
            is_other || self.session.stop.interrupted()
        };
        let read = read_until(cluster.settings(), self.topic, &ranges, done, |row| {
            if let Err(error) = self.row(&row) {
                failed.get_or_insert(error);
                self.session.stop.interrupt();
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        // A topic that is deleted, or made anew with fewer rows, is an error for its reader.
        match read {
            Err(_) if cluster.id(self.topic).is_ok_and(|now| now != id) => Ok(false),
            Err(_) if cluster.partitions(self.topic).is_ok_and(|now| now.is_none()) => Ok(false),
            Err(error) => Err(error),
            Ok(()) => Ok(self.session.stop.interrupted()),
        }
    }

    fn row(&self, message: &ScannedMessage<'_>) -> Result<()> {
        match followed(message, &self.format, &self.units, self.session.common.json) {
            Ok(line) => self.print(&line.unwrap_or_default()),
            Err(why) => {
                let screen = Screen { to_stderr: true, ..self.session.screen };
                let (partition, offset) = (message.partition, message.offset);
                screen.say(format!("{}, partition {partition}, offset {offset}: {why}", self.topic));
                Ok(())
            }
        }
    }

    /// Prints text, unless the user wants no rows. Without a reader there is nothing left to do.
    fn print(&self, text: &str) -> Result<()> {
        if self.session.screen.quiet {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.session.stop.interrupt();
                Ok(())
            }
            written => written.context("standard output cannot be written"),
        }
    }
}
