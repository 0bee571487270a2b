//! `kuu bench`: runs everything in one process, verifies the results, and shows each figure beside its ceiling.

mod against;
mod comparison;
mod setup;

use crate::bench::catch_up::{self, BenchTopics};
use crate::bench::embedded::{Dropped, guard};
use crate::bench::gate::{Baseline, Compared};
use crate::bench::leftovers::{self, Leftovers};
use crate::bench::live::{self, LiveFigures};
use crate::bench::load::Load;
use crate::bench::stage::Samples;
use crate::bench::{figures, tables};
use crate::cli::BenchArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::assertions;
use crate::commands::session::unread;
use crate::commands::session::{self, Session};
use crate::input::truth_of_files;
use crate::kafka::admin::Cluster;
use crate::kafka::commit::state_topic::State;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, complain};
use crate::verification::{
    self,
    check::{self, Checked},
};
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::{BenchConfig, Configuration};
use kuu_core::counter::Config;
use kuu_core::ledger::Ledger;
use kuu_core::record::Record;
use kuu_core::truth::Truth;
use kuu_core::verdict::Fold;
use kuu_core::window::Unit;
use setup::{BenchRun, CATCH_UP_RATIO, LIVE_RATIO};

/// How often a share below the baseline is measured again before it counts as a regression.
const SECOND_LOOKS: usize = 2;
/// Runs the command.
///
/// # Errors
/// If the input or the broker fails, or a frame is lost.
pub fn run(arguments: &BenchArgs, session: &Session) -> Result<ExitStatus> {
    if let Some(other) = &arguments.against {
        return against::run(arguments, other, session);
    }
    if arguments.noise {
        return against::noise(session);
    }
    let baseline = arguments.baseline.as_deref().map(comparison::read).transpose()?;
    let parser = arguments.frames.options();
    let load = Load::read(&arguments.files, &parser, &session.stop)?;
    let cluster = connect(session)?;
    let prefix = leftovers::prefix();
    let bench = BenchRun { arguments, session, parser, load: &load, cluster: &cluster, prefix: &prefix };
    session.screen.say(tables::header(&session::broker(&cluster), &load));
    let outcome = bench.measure(baseline.as_ref());
    // If the input changed, the change is the cause of any other error.
    let outcome = load.unchanged().map_err(anyhow::Error::from).and(outcome);
    let cleaned = if arguments.keep { Ok(()) } else { leftovers::delete(&cluster, &prefix) };
    let cleaned = cleaned.with_context(|| format!("topics and groups {prefix}... are left"));
    let status = match outcome {
        Err(_) if session.stop.interrupted() => {
            session.screen.say("interrupted: nothing was recorded");
            Ok(ExitStatus::Interrupted)
        }
        outcome => outcome,
    };
    match (status, cleaned) {
        (Ok(status), cleaned) => status.after(cleaned),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => {
            complain(format!("{left:#}"));
            Err(error)
        }
    }
}

/// Connects to Kafka if the command line names brokers, and otherwise starts an embedded broker: an environment
/// variable that is set for other commands must not change what is measured.
fn connect(session: &Session) -> Result<Cluster> {
    let cluster = session::measured(session, "bench")?;
    if cluster.is_embedded() {
        return Ok(cluster);
    }
    // The remedy is only a hint: a broker that does not list its groups may still be usable.
    let brokers = &cluster.settings().brokers;
    if let Some(remedy) = Leftovers::find(&cluster).ok().and_then(|left| left.remedy(brokers)) {
        Screen { to_stderr: true, ..session.screen }.say(format!("kuu: {remedy}"));
    }
    Ok(cluster)
}

/// One catch-up measurement, with its verification.
struct CaughtUp {
    samples: Samples,
    checked: Checked,
}

impl BenchRun<'_> {
    fn measure(&self, baseline: Option<&Baseline>) -> Result<ExitStatus> {
        let config = session::counting(&self.arguments.windows, &self.arguments.event_time);
        let truth = self.truth(None, &config.units)?;
        if let Some(words) = unread::words(truth.ledger(), &self.parser) {
            bail!(words);
        }
        let mut caught_up = self.catch_up(&config, &truth, "catch-up")?;
        let mut record = self.record();
        if !caught_up.checked.verdict.exact {
            return self.wrong(record, &caught_up.checked, "catch-up");
        }
        let parser = self.parser.kind;
        let measured = baseline.and_then(|it| comparison::find(it, &comparison::conditions(self), self, &mut record));
        let compare = |caught_up: &CaughtUp| {
            measured.map_or_else(Vec::new, |then| then.compare(&figures::shares(&caught_up.samples, parser)))
        };
        let mut compared = compare(&caught_up);
        for look in 1..=SECOND_LOOKS {
            let fell: Vec<String> = compared.iter().filter(|it| it.fell()).map(comparison::fall).collect();
            if fell.is_empty() {
                break;
            }
            for fall in &fell {
                record.remarks.push(format!("measured again: {fall}"));
                self.session.screen.say(format!("below the baseline, measuring again: {fall}"));
            }
            let again = self.catch_up(&config, &truth, &format!("again-{look}"))?;
            if !again.checked.verdict.exact {
                return self.wrong(record, &again.checked, "catch-up");
            }
            compared = compare(&again);
            caught_up = again;
        }
        for fell in compared.iter().filter(|it| it.fell()) {
            complain(format!("slower than the baseline: {}", comparison::fall(fell)));
        }
        let fell = compared.iter().any(Compared::fell);

        let second = Config { units: vec![Unit::Second], ..config };
        let truth = self.truth(Some(self.load.kept() as u64), &second.units)?;
        let (live, live_checked) = match self.live(second, &truth) {
            Err(error) if fell && !self.session.stop.interrupted() => return ExitStatus::Regression.after(Err(error)),
            live => live?,
        };
        if !live_checked.verdict.exact {
            return self.wrong(record, &live_checked, "live");
        }
        figures::fill(&mut record, self.load, &caught_up.samples, parser, &live)?;
        record.ledger = Some(caught_up.samples.ledger.clone());
        record.verdict = Some(caught_up.checked.verdict.clone());
        self.show(&caught_up, &live, &live_checked);
        if let Some(then) = measured {
            let (table, sentence) = comparison::show(then, &compared);
            self.session.screen.say(format!("\n{table}\n{sentence}"));
            record.remarks.push(sentence);
        }
        let fails = assertions::any_fails(&self.arguments.assertions, &record);
        let status = match (fell || matches!(fails, Ok(true)), live.on_schedule, live.sustained) {
            (true, ..) => ExitStatus::Regression,
            (_, false, _) => ExitStatus::Behind,
            (.., false) => ExitStatus::Inconclusive,
            _ => ExitStatus::Fine,
        };
        status.after(self.save(&record, Some(&live)).and(fails.map(drop)))
    }

    /// The truth about the first `limit` frames of the files.
    fn truth(&self, limit: Option<u64>, units: &[Unit]) -> Result<Truth> {
        let mut left = limit.unwrap_or(u64::MAX);
        let names = self.arguments.files.iter().zip(&self.load.sources).map(|(name, source)| {
            let take = source.frames.min(left);
            left -= take;
            (name.as_str(), Some(take))
        });
        match truth_of_files::count(names, &self.parser, units) {
            (truth, _, None) => Ok(truth),
            (.., Some(error)) => Err(error.into()),
        }
    }

    fn catch_up(&self, config: &Config, truth: &Truth, name: &str) -> Result<CaughtUp> {
        let mut partitions = self.partitions(CATCH_UP_RATIO);
        loop {
            let plan = catch_up::CatchUpPlan {
                files: self.arguments.files.clone(),
                parser: self.parser.clone(),
                counting: config.clone(),
                guarantee: self.arguments.guarantee,
                threads: session::threads(self.arguments.threads),
                partitions,
                compression: self.arguments.compression.into(),
                rounds: self.arguments.rounds.into(),
                prefix: format!("{}-{name}-{partitions}", self.prefix),
            };
            let bar = self.session.screen.progress("{spinner} {msg}");
            let tell = |what: &str| {
                bar.set_message(what.to_owned());
                bar.tick();
            };
            let measured = catch_up::measure(&plan, self.load, self.cluster, &self.session.stop, tell);
            bar.finish_and_clear();
            match measured {
                Ok((samples, topics)) => {
                    let checked = self.check(&topics, truth, &samples.ledger)?;
                    return Ok(CaughtUp { samples, checked });
                }
                // The guess of the compression ratio was wrong: kuu corrects it without the user.
                Err(error) if self.may_grow(partitions) && error.is::<Dropped>() => partitions *= 2,
                Err(error) => return Err(error),
            }
        }
    }

    fn may_grow(&self, partitions: usize) -> bool {
        self.cluster.is_embedded() && self.arguments.partitions.is_none() && partitions < 512
    }

    fn live(&self, config: Config, truth: &Truth) -> Result<(LiveFigures, Checked)> {
        let topics =
            BenchTopics { messages: format!("{}-live", self.prefix), output: format!("{}-live-output", self.prefix) };
        self.cluster.create(&topics.messages, self.partitions(LIVE_RATIO), 1, &[])?;
        self.cluster.create(&topics.output, 1, 1, &[])?;
        self.cluster.create(&State::topic(self.prefix), 1, 1, &[])?;
        let bare = format!("{}-bare", self.prefix);
        self.cluster.create(&bare, 1, 1, &[])?;
        let seconds = self.arguments.live_seconds.as_secs_f64().max(1e-3);
        let plan = live::LivePlan {
            rate: self.arguments.rate.unwrap_or(self.load.kept() as f64 / seconds),
            parser: self.parser.clone(),
            counting: config,
            threads: session::threads(self.arguments.threads),
            compression: self.arguments.compression.into(),
            messages: topics.messages.clone(),
            output: topics.output.clone(),
            group: self.prefix.to_owned(),
            bare,
            guarantee: self.arguments.guarantee,
        };
        let bar = self.session.screen.progress("{spinner} {msg}");
        let tell = |what: &str| {
            bar.set_message(what.to_owned());
            bar.tick();
        };
        let outcome = live::measure(&plan, self.load, self.cluster, &self.session.stop, tell);
        bar.finish_and_clear();
        let outcome = outcome?;
        if self.session.stop.interrupted() {
            bail!("interrupted");
        }
        guard(self.cluster, &topics.messages, outcome.frames)?;
        let checked = self.check(&topics, truth, &outcome.ledger)?;
        Ok((outcome, checked))
    }

    fn check(&self, topics: &BenchTopics, truth: &Truth, ledger: &Ledger) -> Result<Checked> {
        self.load.unchanged()?;
        let repeats = check::repeats(self.arguments.guarantee);
        let mut checked = check::check(self.cluster, &topics.output, truth, Fold::new(repeats, None))?;
        check::reconcile(&mut checked, self.cluster, &topics.messages, truth, Some(ledger))?;
        Ok(checked)
    }

    fn record(&self) -> Record {
        let BenchArgs { threads, rounds, compression, windows, event_time, rate, live_seconds, .. } = self.arguments;
        let config = BenchConfig {
            window: session::units(&windows.window),
            parser: self.parser.kind,
            frames: self.parser.format.clone(),
            threads: session::threads(*threads),
            rounds: *rounds,
            compression: *compression,
            catch_up_partitions: self.partitions(CATCH_UP_RATIO),
            live_partitions: self.partitions(LIVE_RATIO),
            live_seconds: live_seconds.as_secs_f64(),
            live_rate: *rate,
            lateness_s: event_time.lateness.as_secs(),
            retention_s: event_time.retention.as_secs(),
            max_jump_s: event_time.max_jump.as_secs(),
            guarantee: self.arguments.guarantee,
            conditions: comparison::conditions(self),
        };
        let mut record = self.session.record(Configuration::Bench, config);
        record.broker = Some(session::broker(self.cluster));
        record.input = self.load.sources.clone();
        record
    }

    /// Reports wrong results: their throughput means nothing, so the verdict replaces the figures.
    fn wrong(&self, mut record: Record, checked: &Checked, phase: &str) -> Result<ExitStatus> {
        verification::verdict_table::show(self.session.screen, checked);
        self.session.screen.say(format!("the {phase} answer is wrong: no figures"));
        record.verdict = Some(checked.verdict.clone());
        ExitStatus::Wrong.after(self.save(&record, None))
    }

    fn show(&self, caught_up: &CaughtUp, live: &LiveFigures, live_checked: &Checked) {
        let say = |text: String| self.session.screen.say(text);
        say(format!("\n{}", tables::stages(self.load, &caught_up.samples)));
        say(format!("\n{}", tables::phases(self.load, &caught_up.samples)));
        say(format!("\n{}\n", tables::live(live, live_checked)));
        verification::verdict_table::show(self.session.screen, &caught_up.checked);
        say(ledger_line(&caught_up.samples.ledger));
    }

    fn save(&self, record: &Record, live: Option<&LiveFigures>) -> Result<()> {
        let name = format!("bench-{}", self.session.begun.compact());
        if let Some(live) = live {
            figures::export(&self.session.common.results, &name, live)?;
        }
        self.session.print(record)?;
        let path = self.session.store(&format!("{name}.json"), record)?;
        self.session.store("bench.json", record)?;
        self.session.screen.say(format!("record: {}", path.display()));
        Ok(())
    }
}
