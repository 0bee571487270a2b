//! Waits until nothing of what was before disturbs a measurement.

use crate::engine::stop::Stop;
use crate::kafka::admin::Cluster;
use crate::kafka::commit::bare_transaction::BareTransactions;
use crate::kafka::consume::whole_topic::read_all;
use crate::race::drive::clean_up;
use crate::race::feeding::make_output;
use crate::system::server_process::ServerProcess;
use anyhow::Result;
use std::time::{Duration, Instant};

/// How long a look at the broker's processor time takes.
const LOOK: Duration = Duration::from_millis(250);
/// A broker that uses less than this share of a core, twice in turn, is quiet.
const QUIET: f64 = 0.05;
/// The longest wait. Also the wait for a broker that cannot be looked at is a part of it.
const MOST: Duration = Duration::from_secs(10);
const BLIND: Duration = Duration::from_secs(1);

/// Reads a topic to its end, so that its pages are in memory.
///
/// # Errors
/// If it cannot be read.
pub fn read_through(cluster: &Cluster, topic: &str) -> Result<u64> {
    read_all(cluster.settings(), topic, &cluster.ranges(topic)?, |_| Ok(()))
}

/// Lets the broker make what its first transaction and its first group need (`__transaction_state`, `__consumer_offsets`):
/// on a broker that is new, the first engine waited for that.
///
/// # Errors
/// If the broker refuses.
pub fn make_internal_topics(cluster: &Cluster, id: &str) -> Result<()> {
    let base = format!("{id}-first");
    let (input, output) = (format!("{base}-messages"), format!("{base}-output"));
    make_output(cluster, &input)?;
    make_output(cluster, &output)?;
    let done = BareTransactions::new(cluster.settings(), &base, &input, &output)?.run(0);
    clean_up(cluster, &base)?;
    done.map(|_| ())
}

/// Waits until the broker's processor time has settled; returns false if it did not, or cannot be seen.
pub fn settle(broker: Option<&ServerProcess>, stop: &Stop) -> bool {
    let Some(broker) = broker else {
        std::thread::sleep(BLIND);
        return false;
    };
    let begun = Instant::now();
    let mut quiet = 0;
    while begun.elapsed() < MOST && !stop.interrupted() {
        let (before, at) = (broker.usage(), Instant::now());
        std::thread::sleep(LOOK);
        let (Some(before), Some(after)) = (before, broker.usage()) else { return false };
        let share = after.since(before).cpu_us as f64 / at.elapsed().as_micros() as f64;
        quiet = if share < QUIET { quiet + 1 } else { 0 };
        if quiet == 2 {
            return true;
        }
    }
    false
}
