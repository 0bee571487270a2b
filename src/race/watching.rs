//! Watches an engine while it runs, until it ends, has answered, or is out of time.

use crate::engine::schedule::Hold;
use crate::kafka::admin::Cluster;
use crate::kafka::produce::frame_sender::Sender;
use crate::race::awake::IdleWatch;
use crate::race::epilogue::EpilogueSender;
use crate::race::feeding::{FeedPace, deliver_by};
use crate::race::incidents::Incidents;
use crate::race::judge::Ending;
use crate::race::running::{InputTiming, Running};
use crate::race::supervisor::Supervised;
use crate::system::clock::steady_us;
use anyhow::{Result, bail};
use kuu_core::recovery::Interruption;
use kuu_core::scorecard::Used;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// How often the race looks.
const TICK: Duration = Duration::from_millis(20);

/// How it went.
pub struct Run {
    pub supervised: Supervised,
    pub ending: Ending,
    /// What broke, and when, in words.
    pub incidents: Vec<String>,
    /// What interrupted the engine, as it began; what came of it is not in it yet.
    pub interruptions: Vec<Interruption>,
    /// What processes used that were killed before.
    pub used: Used,
}

/// Sends the frames by `sender`, if they come while the engine runs, and watches until the end.
///
/// # Errors
/// If the race is interrupted, or the frames cannot be sent.
pub fn wait(running: &Running<'_>, supervised: Supervised, sender: Option<Sender>) -> Result<Run> {
    let Running { setup, of, names, .. } = running;
    let (settings, stop) = (setup.cluster.settings(), setup.stop.part());
    std::thread::scope(|scope| {
        let hold = Hold::default();
        let pace = FeedPace { rate: running.rate(), hold: hold.clone() };
        let stop = &stop;
        let sending = sender.map(|sender| {
            scope
                .spawn(move || deliver_by(sender, &Cluster::connect(settings)?, &names.input, &of.workload, pace, stop))
        });
        let run = watch(running, Incidents::new(running, supervised, hold), sending);
        // Of an engine that has ended, nobody reads what is not sent yet.
        stop.interrupt();
        run
    })
}

fn watch(
    running: &Running<'_>,
    mut incidents: Incidents<'_>,
    mut sending: Option<ScopedJoinHandle<'_, Result<()>>>,
) -> Result<Run> {
    let deadline_us = running.sending_from_us + running.setup.deadline.as_micros() as i64 + running.sending_us();
    let begin = || EpilogueSender::begin(running.setup.cluster, running.names, running.of);
    let mut epilogue = if running.feed == InputTiming::Followed { Some(begin()?) } else { None };
    let mut idle = IdleWatch::new(steady_us(), incidents.engine.usage().cpu_us);
    let ending = loop {
        std::thread::sleep(TICK);
        if running.setup.stop.interrupted() {
            bail!("interrupted");
        }
        incidents.happen()?;
        if let Some(ended) = incidents.ended()? {
            break Ending::Itself(ended);
        }
        if sending.as_ref().is_some_and(ScopedJoinHandle::is_finished)
            && let Some(thread) = sending.take()
        {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        if running.never_ends() && sending.is_none() && incidents.are_over() {
            idle.look(steady_us(), || incidents.engine.usage().cpu_us);
            match &mut epilogue {
                None if running.feed == InputTiming::Shared => {
                    if running.has_settled(running.started_us, &idle) {
                        break Ending::Stopped;
                    }
                }
                None if !running.awaits_epilogue(&idle) => {}
                None => epilogue = Some(begin()?),
                Some(epilogue) => {
                    epilogue.tick();
                    if running.has_settled(epilogue.begun_us(), &idle) {
                        break Ending::Stopped;
                    }
                }
            }
        }
        let limit_us = deadline_us + incidents.grace_us();
        if steady_us() > limit_us {
            break Ending::OutOfTime { after_s: (limit_us - running.sending_from_us) as u64 / 1_000_000 };
        }
    };
    let Incidents { engine, told, interruptions, used, .. } = incidents;
    Ok(Run { supervised: engine, ending, incidents: told, interruptions, used })
}
