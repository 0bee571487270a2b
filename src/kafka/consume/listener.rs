//! Listens to a consumer: waits for its messages, and bears an outage of the brokers for a while.

use crate::kafka::client::outage::is_passing;
use crate::kafka::consume::inbox::{Fetched, Inbox, Incoming};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::{Duration, Instant};

/// A reader that blocks on an empty queue is woken for every single message, which costs the fetching thread more than
/// the message itself. So it first sleeps a few times for this long, while messages gather.
const NAP: Duration = Duration::from_micros(100);
const NAPS: u32 = 20;
/// The timeout of a blocking poll after that.
const WAIT: Duration = Duration::from_millis(20);
/// Errors that are further apart than this belong to different outages.
const LULL: Duration = Duration::from_secs(60);

/// What a consumer had.
pub enum Heard<'a> {
    /// The next message.
    Message(Fetched<'a>),
    /// The present end of a partition: all messages before this offset came.
    PartitionEnd {
        /// The partition.
        partition: usize,
        /// The end.
        offset: i64,
    },
    /// The brokers do not answer, which may pass.
    Outage,
    /// Nothing for now.
    Nothing,
}

/// Why a reader cannot go on.
pub enum Failure {
    /// An error that does not pass without help.
    Error(KafkaError),
    /// The brokers were silent for as long as the listener is patient; their last error.
    Silence(String),
}

/// Takes messages and events from one consumer.
pub struct Listener {
    /// How long the brokers may be silent.
    patience: Duration,
    /// The last time that the brokers sent something.
    heard: Instant,
    outage: Option<Outage>,
    naps: u32,
    waited: bool,
}

/// Errors that pass without help, each soon after the one before.
struct Outage {
    since: Instant,
    last: Instant,
}

impl Listener {
    /// A listener that gives up once the brokers have sent nothing for this long.
    pub fn new(patience: Duration) -> Listener {
        Listener { patience, heard: Instant::now(), outage: None, naps: 0, waited: false }
    }

    /// The next message or event. If there is none yet, calls `idle`, which returns whether there is nothing else to
    /// do, and waits: briefly, or longer if there has been none for some time and nothing else is to do.
    ///
    /// # Errors
    /// If the consumer has an error that does not pass, or had no other ones for too long.
    #[inline]
    pub fn next<'a>(&mut self, inbox: &'a Inbox, idle: impl FnOnce() -> bool) -> Result<Heard<'a>, Failure> {
        let at_hand = inbox.poll(Duration::ZERO);
        self.waited = at_hand.is_none();
        let found = at_hand.or_else(|| self.wait(inbox, idle()));
        if found.is_some() {
            self.naps = 0;
        }
        match found {
            None => Ok(Heard::Nothing),
            Some(Incoming::Message(message)) => {
                // Reading the clock for every message would be slow.
                if self.waited || self.outage.is_some() {
                    self.hears();
                }
                Ok(Heard::Message(message))
            }
            Some(Incoming::End { partition, offset }) => {
                self.hears();
                Ok(Heard::PartitionEnd { partition, offset })
            }
            Some(Incoming::Error(error)) if !passes(&error) => Err(Failure::Error(error)),
            Some(Incoming::Error(_)) if !self.bears(Instant::now()) => Err(silence(inbox)),
            Some(Incoming::Error(error)) => {
                let is_away = error.rdkafka_error_code().is_some_and(is_passing);
                Ok(if is_away { Heard::Outage } else { Heard::Nothing })
            }
        }
    }

    fn wait<'a>(&mut self, inbox: &'a Inbox, nothing_else: bool) -> Option<Incoming<'a>> {
        if self.naps < NAPS || !nothing_else {
            self.naps = (self.naps + 1).min(NAPS);
            std::thread::sleep(NAP);
            return inbox.poll(Duration::ZERO);
        }
        inbox.poll(WAIT)
    }

    /// Whether the last call of [`Listener::next`] found the queue empty, and waited.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// Whether the queue has been empty for so long that the caller should find out why.
    pub fn is_dry(&self) -> bool {
        self.naps >= NAPS
    }

    /// Starts the time of silence anew: the brokers sent something, or the caller did not listen.
    pub fn hears(&mut self) {
        self.heard = Instant::now();
        self.outage = None;
    }

    /// Checks that the brokers have sent something lately. (A reader that follows a quiet topic does not ask: it only
    /// gives up when there are errors.)
    ///
    /// # Errors
    /// If they were silent for too long.
    pub fn expect_news(&self, inbox: &Inbox) -> Result<(), Failure> {
        if self.heard.elapsed() > self.patience { Err(silence(inbox)) } else { Ok(()) }
    }

    /// Notes an error at `now`; returns false once the outage has lasted for too long.
    fn bears(&mut self, now: Instant) -> bool {
        let since = match &self.outage {
            Some(outage) if now - outage.last <= LULL => outage.since,
            _ => now,
        };
        self.outage = Some(Outage { since, last: now });
        now - since < self.patience
    }
}

fn silence(inbox: &Inbox) -> Failure {
    Failure::Silence(inbox.consumer().context().last_error().unwrap_or_else(|| "no error was reported".into()))
}

/// Whether an error of a consumer passes without help.
pub fn passes(error: &KafkaError) -> bool {
    // The group of a reader is only a name: nothing is committed for it.
    let passing = |code| is_passing(code) || code == RDKafkaErrorCode::GroupAuthorizationFailed;
    error.rdkafka_error_code().is_some_and(passing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_outage_lasts_from_its_first_error() {
        let mut listener = Listener::new(100 * SECOND);
        let start = Instant::now();
        assert_eq!([0, 60, 99, 100].map(|at| listener.bears(start + at * SECOND)), [true, true, true, false]);
    }

    #[test]
    fn errors_far_apart_are_several_outages() {
        let mut listener = Listener::new(100 * SECOND);
        let start = Instant::now();
        assert_eq!(
            [0, 61, 121, 160, 161].map(|at| listener.bears(start + at * SECOND)),
            [true, true, true, true, false]
        );
    }

    #[test]
    fn a_message_ends_an_outage() {
        let mut listener = Listener::new(100 * SECOND);
        let start = Instant::now();
        assert_eq!([0, 60].map(|at| listener.bears(start + at * SECOND)), [true, true]);
        listener.hears();
        assert_eq!([101, 160].map(|at| listener.bears(start + at * SECOND)), [true, true]);
    }
}
