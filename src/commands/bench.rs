//! `kuu bench`: runs everything in one process, verifies the results, and shows each figure beside its ceiling.

mod against;
mod combinations;
mod comparison;
mod distinct;
mod phases;
mod runs;
mod setup;
mod sweep;

use crate::bench::catch_up;
use crate::bench::embedded::Dropped;
use crate::bench::figures::{self, per_second};
use crate::bench::gate::{Baseline, Compared};
use crate::bench::leftovers::{self, Leftovers};
use crate::bench::live::LiveFigures;
use crate::bench::load::Load;
use crate::bench::stage::{Samples, Stage};
use crate::bench::tables;
use crate::bench::timing::turns;
use crate::cli::BenchArgs;
use crate::commands::exit_status::ExitStatus;
use crate::commands::session::assertions;
use crate::commands::session::unread;
use crate::commands::session::{self, Session};
use crate::kafka::admin::Cluster;
use crate::terminal::ledger_line::ledger_line;
use crate::terminal::{Screen, complain};
use crate::verification::check::Checked;
use crate::verification::verdict_table;
use anyhow::{Context as _, Result, bail};
use kuu_core::configuration::{BenchConfig, Configuration};
use kuu_core::counter::Config;
use kuu_core::load_sweep::SweepEnd;
use kuu_core::record::Record;
use kuu_core::statistics::median;
use kuu_core::truth::Truth;
use kuu_core::window_record::WindowRecord;
use phases::StepLoad;
use setup::{BenchRun, CATCH_UP_RATIO, LIVE_RATIO};
use std::time::Duration;

/// How often a share below the baseline is measured again before it counts as a regression.
const SECOND_LOOKS: usize = 2;
/// Lag below the number of frames in this time is no growth, whatever its trend.
const HARMLESS_LAG: Duration = Duration::from_millis(500);

/// Runs the command.
///
/// # Errors
/// If the input or the broker fails, or a frame is lost.
pub fn run(arguments: &BenchArgs, session: &Session) -> Result<ExitStatus> {
    if arguments.distinct {
        return distinct::run(arguments, session);
    }
    let compares = arguments.against.is_some() || arguments.noise;
    if compares && arguments.is_of_several() {
        bail!("--against and --noise compare runs with the same options: name one value of each");
    }
    if let Some(other) = &arguments.against {
        return against::run(arguments, other, session);
    }
    if arguments.noise {
        return against::noise(session);
    }
    if arguments.is_of_several() {
        return combinations::run(arguments, session);
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

/// What the live phase came to, or those of a sweep.
struct LivePart {
    /// The table.
    text: String,
    status: ExitStatus,
    /// The histograms to export.
    figures: Option<LiveFigures>,
}

impl BenchRun<'_> {
    fn measure(&self, baseline: Option<&Baseline>) -> Result<ExitStatus> {
        let config = session::counting(&self.arguments.windows, &self.arguments.event_time);
        let truth = self.truth(&config.units)?;
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

        figures::fill(&mut record, self.load, &caught_up.samples, parser);
        record.ledger = Some(caught_up.samples.ledger.clone());
        record.verdict = Some(caught_up.checked.verdict.clone());
        record.windows = WindowRecord::of(&caught_up.checked.comparison);
        let live = if self.arguments.sweep { Self::sweep_part } else { Self::live_part };
        let live = match live(self, &config, &caught_up.samples, &mut record) {
            Err(error) if fell && !self.session.stop.interrupted() => return ExitStatus::Regression.after(Err(error)),
            live => live?,
        };
        let live = match live {
            Err(wrong) => return self.wrong(record, &wrong, "live"),
            Ok(live) => live,
        };
        figures::fill_memory(&mut record);
        self.show(&caught_up, &live.text);
        if let Some(then) = measured {
            let (table, sentence) = comparison::show(then, &compared);
            self.session.screen.say(format!("\n{table}\n{sentence}"));
            record.remarks.push(sentence);
        }
        let fails = assertions::any_fails(&self.arguments.assertions, &record);
        let status = if fell || matches!(fails, Ok(true)) { ExitStatus::Regression } else { live.status };
        let saved = self.save(&record, live.figures.as_ref());
        verdict_table::show_verdict(self.session.screen, &caught_up.checked);
        status.after(saved.and(fails.map(drop)))
    }

    /// The live phase; or its check, if it counted wrong.
    fn live_part(&self, config: &Config, samples: &Samples, record: &mut Record) -> Result<Result<LivePart, Checked>> {
        let seconds = self.arguments.live_seconds.as_secs_f64().max(1e-3);
        let frames = self.load.kept() as u64;
        let rate = self.arguments.rate.unwrap_or(frames as f64 / seconds);
        let load = StepLoad { rate, frames, partitions: self.partitions(LIVE_RATIO), harmless_lag: HARMLESS_LAG };
        let (live, checked) = self.live(load, config)?;
        if !checked.verdict.exact {
            return Ok(Err(checked));
        }
        figures::fill_live(record, &live)?;
        record.turns = turns(samples.timings().chain(live.sampled.map(|timing| ("live".into(), timing))));
        let status = match (live.on_schedule, live.sustained) {
            (false, _) => ExitStatus::Behind,
            (_, false) => ExitStatus::Inconclusive,
            _ => ExitStatus::Fine,
        };
        Ok(Ok(LivePart { text: tables::live(&live, &checked), status, figures: Some(live) }))
    }

    /// Live phases at rising rates, up to that of the count; or the check of one that counted wrong.
    fn sweep_part(&self, config: &Config, samples: &Samples, record: &mut Record) -> Result<Result<LivePart, Checked>> {
        let most = median(&per_second(self.load.frames, &samples[Stage::Count]));
        let sweep = match self.sweep(most, config)? {
            Ok(sweep) => sweep,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let status = match (sweep.sustained(), sweep.end) {
            (Some(most), _) => {
                record.figures.insert("live_sustained_frames_per_s".into(), figures::one(most));
                ExitStatus::Fine
            }
            (None, SweepEnd::Behind) => ExitStatus::Behind,
            (None, _) => ExitStatus::Inconclusive,
        };
        let text = crate::bench::sweep::text(&sweep);
        record.sweep = Some(sweep);
        Ok(Ok(LivePart { text, status, figures: None }))
    }

    fn catch_up(&self, config: &Config, truth: &Truth, name: &str) -> Result<CaughtUp> {
        let mut partitions = self.partitions(CATCH_UP_RATIO);
        loop {
            let plan = catch_up::CatchUpPlan {
                files: self.arguments.files.clone(),
                parser: self.parser.clone(),
                counting: config.clone(),
                guarantee: self.arguments.guarantee,
                threads: self.threads(),
                partitions,
                compression: self.compression().into(),
                rounds: self.arguments.rounds.into(),
                prefix: format!("{}-{name}-{partitions}", self.prefix),
            };
            let bar = self.session.screen.progress("{spinner} {wide_msg}");
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
        self.cluster.is_embedded() && self.arguments.partitions.is_empty() && partitions < 512
    }

    fn record(&self) -> Record {
        let BenchArgs { rounds, windows, event_time, rate, live_seconds, sweep, .. } = self.arguments;
        let config = BenchConfig {
            window: session::units(&windows.window),
            parser: self.parser.kind,
            frames: self.parser.format.clone(),
            threads: self.threads(),
            rounds: *rounds,
            compression: self.compression(),
            catch_up_partitions: self.partitions(CATCH_UP_RATIO),
            live_partitions: self.partitions(LIVE_RATIO),
            live_seconds: live_seconds.as_secs_f64(),
            live_rate: *rate,
            sweep: *sweep,
            distinct: false,
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
        verdict_table::show_windows(self.session.screen, checked);
        self.session.screen.say(format!("the {phase} answer is wrong: no figures"));
        record.figures.clear();
        record.ledger = None;
        record.verdict = Some(checked.verdict.clone());
        record.windows = WindowRecord::of(&checked.comparison);
        let saved = self.save(&record, None);
        verdict_table::show_verdict(self.session.screen, checked);
        ExitStatus::Wrong.after(saved)
    }

    fn show(&self, caught_up: &CaughtUp, live: &str) {
        let say = |text: String| self.session.screen.say(text);
        say(format!("\n{}", tables::stages(self.load, &caught_up.samples)));
        say(format!("\n{}", tables::phases(self.load, &caught_up.samples)));
        say(format!("\n{live}\n"));
        verdict_table::show_windows(self.session.screen, &caught_up.checked);
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
