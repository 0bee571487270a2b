//! One count of a topic: combines reader, counter, pipeline and sink, and starts them again after a setback.

use crate::count::observer::{Observed, Observer};
use crate::engine::queue::Feed;
use crate::engine::run;
use crate::engine::sink::Sink;
use crate::engine::start::{RunOptions, Start};
use crate::engine::status::{RunSummary, Status};
use crate::engine::stop::Stop;
use crate::kafka::admin::{Cluster, Range};
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::lags::Lags;
use crate::kafka::client::outage::is_outage;
use crate::kafka::commit::at_least_once::AtLeastOnce;
use crate::kafka::commit::claim::{log_takes_over, taken_over};
use crate::kafka::commit::exactly_once::{Aborted, ExactlyOnce, Fenced};
use crate::kafka::commit::state_topic::{Origin, State};
use crate::kafka::consume::reader::ReaderOptions;
use crate::kafka::consume::readers::Readers;
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::identity::{Identity, Ids, same_partitions};
use crate::system::deadline::Deadline;
use crate::system::host;
use anyhow::{Context as _, Result, anyhow};
use kuu_core::configuration::Guarantee;
use kuu_core::counter::{Config, Counter};
use kuu_core::distinct::Distinct;
use kuu_frame::{FrameFormat, ParserOptions};
use std::cell::Cell;
use std::time::Duration;

/// The pause after the first setback; it doubles with every further one, up to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long setbacks may continue without a commit.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a new instance may take to write its name after it has the transactional id.
const CLAIM: Duration = Duration::from_secs(1);
/// How often the owner is looked up before this run assumes that there is no other one.
const CLAIM_LOOKS: usize = 4;

/// A count and its options.
#[derive(Clone, Debug)]
pub struct Job {
    /// The topics that are read and written.
    pub topics: CountTopics,
    /// The consumer group, which is also the transactional id.
    pub group: String,
    /// The guarantee after a crash.
    pub guarantee: Guarantee,
    /// The number of consumers, each with a thread.
    pub threads: usize,
    /// The parser of the frames.
    pub parser: ParserOptions,
    /// The settings of the counter.
    pub counting: Config,
    /// Whether the run continues at the topic's end.
    pub follow: bool,
    /// Where the readers report the lag of each partition, if they follow.
    pub lags: Lags,
    /// The options of the run; some are replaced according to the members above.
    pub options: RunOptions,
}

/// The progress of a count.
#[derive(Clone, Debug)]
pub enum Activity {
    /// The count reads its state.
    Restoring {
        /// Number of offsets so far.
        read: u64,
        /// Number of offsets in all.
        total: u64,
    },
    /// The counter runs.
    Counting {
        /// The progress of the run.
        status: Status,
        /// The consumer lag in frames.
        lag: u64,
        /// Number of offsets behind an open transaction, if the readers follow.
        hidden: u64,
    },
    /// The count failed, and finds out whether it may go back to the last commit: another instance may count by now.
    Failed {
        /// Why.
        why: String,
    },
    /// The count goes back to the last commit.
    SetBack {
        /// Why.
        why: String,
    },
}

/// The outcome of a count.
pub struct Counted {
    /// The counter with all its counts, also those from before a restart.
    pub counter: Counter,
    /// The summary of the run since the start or the last setback.
    pub summary: RunSummary,
    /// Frames that an earlier run had counted.
    pub resumed_frames: u64,
    /// Why transactions were aborted and repeated, in order of time.
    pub setbacks: Vec<String>,
}

impl Job {
    /// Counts from the group's state, if there is one. After an aborted transaction the count goes back to the last
    /// commit, in the same way as a restart after a crash.
    ///
    /// # Errors
    /// If the input, the output or the state fails for good.
    pub fn run(
        &self,
        cluster: &Cluster,
        stop: &Stop,
        observer: &mut dyn Observer,
        mut watch: impl FnMut(&Activity),
    ) -> Result<Counted> {
        let attempt = Attempt {
            job: self,
            cluster,
            owner: &host::instance(),
            claimed: Cell::new(false),
            commits: Cell::new(0),
            stop,
        };
        let mut setbacks = Vec::new();
        let patience = || Deadline::after(PATIENCE).backing_off(FIRST_PAUSE, LONGEST_PAUSE);
        let (mut deadline, mut commits) = (patience(), 0);
        loop {
            let error = match attempt.run(observer, &mut watch) {
                Ok(counted) => return Ok(Counted { setbacks, ..counted }),
                Err(error) if error.is::<Aborted>() || error.is::<Fenced>() => {
                    watch(&Activity::Failed { why: format!("{error:#}") });
                    attempt.setback(error)?
                }
                // During an outage, a restart may fail for the same reason.
                Err(error) if !setbacks.is_empty() && is_outage(&error) => error,
                Err(error) => return Err(after(error, &setbacks)),
            };
            if attempt.commits.get() > commits {
                (deadline, commits) = (patience(), attempt.commits.get());
            }
            if let Some(words) = exhausted() {
                return Err(anyhow!(words));
            }
            let undone = "the last transaction is undone, and no further one succeeded: count again";
            if stop.interrupted() || deadline.is_over() {
                return Err(error.context(undone));
            }
            let why = format!("{error:#}");
            let (group, setbacks_before) = (&self.group, setbacks.len());
            tracing::warn!(
                target: "kuu", event = "setback", %group, reason = %why, setbacks_before,
                "goes back to the last commit: {why}",
            );
            watch(&Activity::SetBack { why: why.clone() });
            setbacks.push(why);
            deadline.wait_unless(|| stop.interrupted());
            if stop.interrupted() {
                return Err(error.context(undone));
            }
        }
    }

    /// The settings and topics that the counts depend on.
    pub(super) fn origin(&self, topics: Ids) -> Origin {
        let Config { units, distinct, lateness, retention, max_jump, .. } = &self.counting;
        let units: Vec<String> = units.iter().map(ToString::to_string).collect();
        // A state that an older kuu wrote has none of these: it is one of the default.
        let (format, usual) = (&self.parser.format, FrameFormat::default());
        let unless = |value: &dyn ToString, usual: &dyn ToString| {
            let value = value.to_string();
            if value == usual.to_string() { String::new() } else { value }
        };
        let settings = [
            ("--uid", unless(&format.uid, &usual.uid)),
            ("--uid-type", unless(&format.uid_type, &usual.uid_type)),
            ("--ts", unless(&format.ts, &usual.ts)),
            ("--ts-format", unless(&format.ts_format, &usual.ts_format)),
            ("--topic", self.topics.input.clone()),
            ("--output", self.topics.output.clone()),
            ("--ordered-output", self.topics.ordered.clone().unwrap_or_default()),
            ("--window", units.join(",")),
            ("--distinct", unless(distinct, &Distinct::Exact)),
            ("--lateness", format!("{lateness}s")),
            ("--retention", format!("{retention}s")),
            ("--max-jump", format!("{max_jump}s")),
        ];
        Origin::new(settings.map(|(name, value)| (name.to_owned(), value)).into(), topics)
    }
}

/// An error, with the last setback before it.
fn after(error: anyhow::Error, setbacks: &[String]) -> anyhow::Error {
    match setbacks.last() {
        Some(last) => error.context(format!("it had gone back to the last commit, because {last}")),
        None => error,
    }
}

/// One attempt, from its start to its end or a setback.
struct Attempt<'a> {
    job: &'a Job,
    cluster: &'a Cluster,
    /// The owner of the transactional id.
    owner: &'a str,
    /// Whether the state has, or had, the name of this owner.
    claimed: Cell<bool>,
    /// Number of commits of all attempts with changes or results.
    commits: Cell<u64>,
    stop: &'a Stop,
}

impl Attempt<'_> {
    fn run(&self, observer: &mut dyn Observer, watch: &mut impl FnMut(&Activity)) -> Result<Counted> {
        match self.job.guarantee {
            Guarantee::AtLeastOnce => self.at_least_once(observer, watch),
            Guarantee::ExactlyOnce => self.exactly_once(observer, watch),
        }
    }

    fn at_least_once(&self, observer: &mut dyn Observer, watch: &mut impl FnMut(&Activity)) -> Result<Counted> {
        let Job { topics, group, counting, .. } = self.job;
        let identity = Identity::of(self.cluster, topics, None)?;
        let ranges = self.cluster.ranges(&topics.input)?;
        let counter = Counter::new(counting.clone(), ranges.len());
        let from = ranges.iter().map(|range| range.low).collect();
        let settings = self.cluster.settings();
        let mut sink =
            AtLeastOnce::new(settings, group, topics.clone(), self.owner, identity.clone(), from, self.stop)?;
        let mut sink = Observed::new(&mut sink, observer, &self.commits);
        self.count(&ranges, identity, counter, Start::anew(ranges.len()), &mut sink, watch)
    }

    fn exactly_once(&self, observer: &mut dyn Observer, watch: &mut impl FnMut(&Activity)) -> Result<Counted> {
        let Job { topics, group, counting, .. } = self.job;
        let identity = Identity::of(self.cluster, topics, Some(State::topic(group)))?;
        let mut ids = identity.ids().clone();
        // The state topic is left out: a state that it holds cannot tell that the topic is another one.
        ids.remove(&State::topic(group));
        let output_partitions = identity.output_partitions();
        let mut origin = self.job.origin(ids.clone());
        origin.output_partitions = output_partitions;
        // The previous owner of the transactional id is fenced off first: from then on the state does not change.
        let settings = self.cluster.settings();
        let (topics, guarded) = (topics.clone(), identity.clone());
        let mut sink = ExactlyOnce::new(settings, group, topics, origin.clone(), guarded, self.owner, self.stop)?;
        let is_first = !self.claimed.replace(true);
        let state =
            State::read(self.cluster, group, &origin, |read, total| watch(&Activity::Restoring { read, total }))?;
        if let Some(before) = state.owner_before(self.owner).filter(|_| is_first) {
            log_takes_over(group, before);
        }
        let mut ranges = self.cluster.ranges(&self.job.topics.input)?;
        let start = match state.origin {
            Some(origin) => {
                same_partitions(&self.job.topics.output, origin.output_partitions, output_partitions)?;
                sink.resume(&origin, self.cluster)?;
                self.job.resume(&origin, &ids, &sink.positions(origin.positions.len())?, &mut ranges)?
            }
            None => self.job.start(&sink.positions(ranges.len())?, &ranges)?,
        };
        let counter = Counter::restore(counting.clone(), ranges.len(), &state.records)
            .with_context(|| format!("topic {}: use another --group, or --recreate", State::topic(group)))?;
        let mut sink = Observed::new(&mut sink, observer, &self.commits);
        self.count(&ranges, identity, counter, start, &mut sink, watch)
    }

    /// Why the count goes back to the last commit: a broker was away, or a transaction was open for too long. A run
    /// that was fenced off by another instance may see any error, and must not take the id back from that instance.
    fn setback(&self, error: anyhow::Error) -> Result<anyhow::Error> {
        let fenced = error.is::<Fenced>();
        // A run that is to end does not count again.
        if self.stop.interrupted() || (!fenced && !self.claimed.get()) {
            return Ok(error);
        }
        match self.successor() {
            Ok(Some(other)) => Err(taken_over(&self.job.group, &other)),
            Ok(None) if fenced => Ok(Aborted("it was open for longer than transaction.timeout.ms".into()).into()),
            Err(unreadable) if fenced => Err(unreadable),
            // The brokers are away: the restart asks them again.
            _ => Ok(error),
        }
    }

    /// The other instance that owns the transactional id now, if there is one.
    fn successor(&self) -> Result<Option<String>> {
        // A new instance first writes its name, which takes some time on a busy broker.
        let mut owner = None;
        for look in 1..=CLAIM_LOOKS {
            std::thread::sleep(CLAIM);
            match State::read(self.cluster, &self.job.group, &self.job.origin(Ids::new()), |_, _| {}) {
                Ok(state) => owner = Some(state.owner.unwrap_or_else(|| "its state is gone".into())),
                Err(error) if look == CLAIM_LOOKS && owner.is_none() => return Err(error),
                Err(_) => {}
            }
            if self.stop.interrupted() || owner.as_deref().is_some_and(|owner| owner != self.owner) {
                break;
            }
        }
        Ok(owner.filter(|owner| owner != self.owner))
    }

    fn count(
        &self,
        ranges: &[Range],
        identity: Identity,
        mut counter: Counter,
        start: Start,
        sink: &mut dyn Sink,
        watch: &mut impl FnMut(&Activity),
    ) -> Result<Counted> {
        let Job { topics, follow, .. } = self.job;
        let (feed, intake) = Feed::new();
        let (dead_letters, ordered) = (topics.dead_letters.is_some(), topics.ordered.is_some());
        let options = ReaderOptions {
            topic: topics.input.clone(),
            threads: self.job.threads,
            parser: self.job.parser.clone(),
            keep_values: dead_letters || ordered,
            follow: *follow,
            lags: self.job.lags.clone(),
        };
        let readers = Readers::start(self.cluster.settings(), &options, identity, ranges, feed, self.stop)?;
        let resumed_frames = counter.ledger().read;
        let left: u64 = ranges.iter().map(Range::len).sum();
        let options = RunOptions {
            dead_letters,
            ordered,
            commit_results: self.job.guarantee == Guarantee::ExactlyOnce,
            resumes: self.job.guarantee == Guarantee::ExactlyOnce,
            ..self.job.options
        };
        let lag = |frames: u64| match follow {
            true => readers.lag(),
            false => left.saturating_sub(frames - resumed_frames),
        };
        // Before the first commit.
        watch(&Activity::Counting { status: Status::default(), lag: left, hidden: 0 });
        let summary = run::run(&intake, &mut counter, start, sink, options, self.stop, |status| {
            watch(&Activity::Counting { status: *status, lag: lag(status.frames), hidden: readers.hidden() });
        })?;
        if !summary.interrupted {
            readers.join()?;
        }
        Ok(Counted { counter, summary, resumed_frames, setbacks: Vec::new() })
    }
}
