//! When a frame is from, and in which partition it goes.

use super::dice::mixed;
use super::spec::Spec;
use super::trouble::{Amount, Kind};

/// Frames of a partition at the start and after a pause that have no troubles of time: until then no clock is sure.
const SETTLING: u64 = 64;

/// Time and place of the frames of a stream.
pub(super) struct Schedule {
    start: i64,
    rate: f64,
    settling: u64,
    pauses: Vec<Pause>,
}

struct Pause {
    before: u64,
    seconds: i64,
    trouble: usize,
}

impl Schedule {
    pub(super) fn new(spec: &Spec) -> Schedule {
        let is_pause = |trouble: usize| spec.troubles[trouble].kind == Kind::Pause;
        let troubles: Vec<usize> = (0..spec.troubles.len()).filter(|trouble| is_pause(*trouble)).collect();
        let parts = troubles.len() as u64 + 1;
        let pause = |(i, trouble): (usize, &usize)| Pause {
            before: spec.frames / parts * (i as u64 + 1),
            seconds: spec.troubles[*trouble].seconds(),
            trouble: *trouble,
        };
        Schedule {
            start: spec.start,
            rate: spec.rate,
            settling: SETTLING * u64::from(spec.partitions),
            pauses: troubles.iter().enumerate().map(pause).collect(),
        }
    }

    /// The second in which frame `index` is due. A division is exact to the last bit on every machine.
    #[inline]
    pub(super) fn due(&self, index: u64) -> i64 {
        let pauses = self.pauses.iter().filter(|pause| pause.before <= index).map(|pause| pause.seconds);
        self.start + (index as f64 / self.rate) as i64 + pauses.sum::<i64>()
    }

    /// Whether the clocks of all partitions are sure by then.
    #[inline]
    pub(super) fn is_settled(&self, index: u64) -> bool {
        let near = |pause: &Pause| index >= pause.before && index - pause.before < self.settling;
        index >= self.settling && !self.pauses.iter().any(near)
    }

    /// The pause right before this frame.
    pub(super) fn pause(&self, index: u64) -> Option<usize> {
        self.pauses.iter().find(|pause| pause.before == index).map(|pause| pause.trouble)
    }
}

/// The partitions of a stream.
pub(super) struct Partitions {
    keyed: bool,
    all: Vec<Partition>,
}

#[derive(Clone, Default)]
struct Partition {
    /// How far its frames are ahead of the others, in seconds.
    shift: i64,
    /// The troubles with that shift.
    shifted_by: Vec<usize>,
    /// The first frame that it does not get.
    silent_from: Option<u64>,
    silenced_by: usize,
}

/// Where a frame goes.
pub(super) struct Place {
    pub(super) partition: u16,
    /// The trouble that kept it from another partition.
    pub(super) diverted_by: Option<usize>,
}

impl Partitions {
    pub(super) fn new(spec: &Spec) -> Partitions {
        let mut all = vec![Partition::default(); usize::from(spec.partitions)];
        for (i, trouble) in spec.troubles.iter().enumerate() {
            let Some(partition) = trouble.partition().and_then(|partition| all.get_mut(usize::from(partition))) else {
                continue;
            };
            let from = match (trouble.kind, trouble.value) {
                (Kind::Empty, _) => 0,
                (Kind::Silent, Amount::PartitionFrom { percent, .. }) => spec.frames / 100 * u64::from(percent),
                (Kind::Ahead | Kind::Behind, _) => {
                    let sign = if trouble.kind == Kind::Ahead { 1 } else { -1 };
                    partition.shift += sign * trouble.seconds();
                    partition.shifted_by.push(i);
                    continue;
                }
                _ => continue,
            };
            if partition.silent_from.is_none_or(|earlier| from < earlier) {
                (partition.silent_from, partition.silenced_by) = (Some(from), i);
            }
        }
        Partitions { keyed: spec.keyed, all }
    }

    #[inline]
    pub(super) fn place(&self, index: u64, user: u32) -> Place {
        let count = self.all.len();
        if count == 1 {
            return Place { partition: 0, diverted_by: None };
        }
        let turn = if self.keyed { mixed(u64::from(user)) } else { index };
        let home = (turn % count as u64) as usize;
        let next = (home..count).chain(0..home).find(|at| self.speaks(*at as u16, index)).unwrap_or(home);
        let diverted_by = (next != home).then_some(self.all[home].silenced_by);
        Place { partition: next as u16, diverted_by }
    }

    pub(super) fn speaks(&self, partition: u16, index: u64) -> bool {
        self.all[usize::from(partition)].silent_from.is_none_or(|from| index < from)
    }

    #[inline]
    pub(super) fn shift(&self, partition: u16) -> i64 {
        self.all[usize::from(partition)].shift
    }

    #[inline]
    pub(super) fn shifted_by(&self, partition: u16) -> &[usize] {
        &self.all[usize::from(partition)].shifted_by
    }
}
