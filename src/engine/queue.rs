//! The queue between readers and the counter.

use crate::system::fault::died;
use crate::system::spares::Spares;
use kuu_core::frame_batch::Frames;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Runs of frames that may wait between readers and counter, to bound the memory.
const WAITING_RUNS: usize = 16;
/// Used runs that are kept to reuse their memory; while readers are busy, one or two wait.
const SPARES: usize = 4;
/// How long the counter waits for an event before it checks the clock.
const TICK: Duration = Duration::from_millis(20);

/// A message from a reader to the counter.
pub enum Event {
    /// The next frames of a partition.
    Frames(Frames),
    /// A busy reader has no more frames at hand.
    Drained,
    /// A partition of a live stream has no more frames for now. Like `Ended`, this has an offset: everything before it,
    /// markers and aborted messages included, is read. -1 if the source has no offsets.
    CaughtUp(usize, i64),
    /// The brokers of a partition of a live stream do not answer: it may have more frames than its reader knows, until it
    /// is caught up again.
    Unreachable(usize),
    /// A partition has reached its known end.
    Ended(usize, i64),
    /// Partitions were added: the topic now has this many.
    Grown(usize),
    /// The reader cannot continue.
    Failed(anyhow::Error),
}

/// The readers' end of the queue to the counter; each reader has a clone.
pub struct Feed {
    events: SyncSender<Event>,
    shared: Arc<Shared>,
    is_busy: bool,
}

/// The counter's end of the queue.
pub struct Intake {
    events: Receiver<Event>,
    shared: Arc<Shared>,
}

/// The state that both ends share.
struct Shared {
    /// Used runs, to reuse their memory.
    spares: Spares<Frames>,
    /// Whether the counter is gone.
    closed: AtomicBool,
    /// Number of events that the counter has not taken.
    waiting: AtomicUsize,
    /// Number of readers with frames that they have not handed over.
    busy: AtomicUsize,
}

impl Shared {
    fn new() -> Shared {
        Shared {
            spares: Spares::new(SPARES),
            closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
        }
    }
}

impl Feed {
    /// A queue of bounded length.
    pub fn new() -> (Feed, Intake) {
        let (sender, receiver) = sync_channel(WAITING_RUNS);
        let shared = Arc::new(Shared::new());
        (Feed { events: sender, shared: shared.clone(), is_busy: false }, Intake { events: receiver, shared })
    }

    /// Sends an event, and waits while the queue is full. Without a counter the event is dropped.
    pub fn send(&self, event: Event) {
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        let _ = self.events.send(event);
    }

    /// Marks this reader as busy: it has frames that it has not handed over.
    pub fn set_busy(&mut self) {
        if !self.is_busy {
            self.shared.busy.fetch_add(1, Ordering::SeqCst);
            self.is_busy = true;
        }
    }

    /// Whether this reader is busy.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Hands over the remaining frames, if any, and marks this reader as no longer busy.
    pub fn send_last(&mut self, last: Option<Frames>) {
        if !self.is_busy {
            return;
        }
        // Both updates come before the send, so that the counter finds the queue drained once it takes the event. The
        // event is waiting before the reader stops being busy, so that the queue never looks drained in between.
        self.shared.waiting.fetch_add(1, Ordering::SeqCst);
        self.rest();
        let _ = self.events.send(last.map_or(Event::Drained, Event::Frames));
    }

    fn rest(&mut self) {
        if self.is_busy {
            self.shared.busy.fetch_sub(1, Ordering::SeqCst);
            self.is_busy = false;
        }
    }

    /// Whether the counter waits for the next event.
    pub fn is_awaited(&self) -> bool {
        self.shared.waiting.load(Ordering::SeqCst) == 0
    }

    /// Whether the counter is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// A used run, or a new one.
    pub fn spare(&self) -> Frames {
        self.shared.spares.take()
    }
}

impl Clone for Feed {
    fn clone(&self) -> Feed {
        Feed { events: self.events.clone(), shared: self.shared.clone(), is_busy: false }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.rest();
        // A reader that dies must not look like one that is done.
        if std::thread::panicking() {
            self.send(Event::Failed(died(std::thread::current().name().unwrap_or("of a reader"))));
        }
    }
}

impl Intake {
    /// The next event; an error if none comes within a short time, or no reader is left.
    ///
    /// # Errors
    /// A timeout or the end of all readers.
    pub fn next(&self) -> Result<Event, RecvTimeoutError> {
        let event = self.events.recv_timeout(TICK)?;
        self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
        Ok(event)
    }

    /// Whether the counter has taken all frames that were read so far.
    pub fn is_drained(&self) -> bool {
        // The order matters: a reader stays busy until its event is counted as waiting.
        self.shared.busy.load(Ordering::SeqCst) == 0 && self.shared.waiting.load(Ordering::SeqCst) == 0
    }

    /// Returns a used run, to reuse its memory.
    pub fn give_back(&self, frames: Frames) {
        self.shared.spares.give_back(frames);
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_drained_when_no_reader_has_anything_that_was_not_taken() {
        let (feed, intake) = Feed::new();
        let (mut one, mut two) = (feed.clone(), feed);
        assert!(intake.is_drained() && one.is_awaited());
        one.set_busy();
        one.set_busy();
        two.set_busy();
        assert!(!intake.is_drained() && one.is_awaited() && one.is_busy());
        one.send_last(Some(Frames::default()));
        one.send_last(None);
        assert!(!one.is_busy() && two.is_busy());
        assert!(!intake.is_drained() && !one.is_awaited() && !two.is_awaited());
        assert!(matches!(intake.next(), Ok(Event::Frames(_))));
        assert!(!intake.is_drained() && two.is_awaited());
        two.send_last(None);
        assert!(matches!(intake.next(), Ok(Event::Drained)));
        assert!(intake.is_drained());
        two.set_busy();
        drop(two);
        assert!(intake.is_drained());
        assert!(matches!(intake.next(), Err(RecvTimeoutError::Timeout)));
        drop(one);
        assert!(matches!(intake.next(), Err(RecvTimeoutError::Disconnected)));
    }

    #[test]
    fn readers_see_that_the_counter_is_gone() {
        let (feed, intake) = Feed::new();
        assert!(!feed.is_closed());
        drop(intake);
        assert!(feed.is_closed());
        feed.send(Event::Ended(0, -1));
    }

    #[test]
    fn a_thread_that_dies_says_so() {
        let (feed, intake) = Feed::new();
        let thread = std::thread::Builder::new().name("reader-7".into());
        let dying = thread.spawn(move || {
            let _feed = feed;
            panic!("planted");
        });
        assert!(dying.unwrap().join().is_err());
        let Ok(Event::Failed(error)) = intake.next() else { panic!("it passes for the end") };
        assert!(error.to_string().starts_with("thread reader-7 died"), "{error}");
    }
}
