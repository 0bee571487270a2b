//! Frames after the data, so that an engine without an end closes its last window.

use super::spec::Spec;

/// Frames of a step, at least, in all and in each partition.
const FRAMES: u32 = 1_000;
const EACH: u32 = 64;
/// Sets of an epilogue.
pub const EPILOGUE_STEPS: i64 = 3;
/// The seconds of event time between them.
const STEP: i64 = 3_600;

/// The frames of the epilogue, in the order in which they are sent: `take` gets each with its partition and its user.
/// Three steps, an hour apart and after `last`, the latest second of the data; every frame of a step has another user,
/// so that they reach all partitions of an engine's own.
pub fn epilogue(spec: &Spec, last: i64, mut take: impl FnMut(u16, &str, &str)) {
    (1..=EPILOGUE_STEPS).for_each(|step| epilogue_step(spec, last + step * STEP, &mut take));
}

/// One set of frames of this second, as [`epilogue`] has three.
pub fn epilogue_step(spec: &Spec, ts: i64, mut take: impl FnMut(u16, &str, &str)) {
    let partitions = u32::from(spec.partitions);
    let each = EACH.max(FRAMES.div_ceil(partitions));
    for number in 0..each {
        for partition in 0..spec.partitions {
            let user = format!("epilogue-{}", number * partitions + u32::from(partition));
            let frame = format!(r#"{{"uid":"{user}","ts":{ts}}}"#);
            take(partition, &user, &frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn three_steps_of_a_thousand_users() {
        for (partitions, each) in [(1, 1_000), (4, 250), (50, 64)] {
            let spec = Spec { partitions, ..Spec::default() };
            let mut steps: BTreeMap<String, (BTreeSet<String>, BTreeMap<u16, u32>)> = BTreeMap::new();
            epilogue(&spec, 100, |partition, user, frame| {
                let ts = frame.split("\"ts\":").nth(1).unwrap().to_owned();
                let (users, frames) = steps.entry(ts).or_default();
                assert!(users.insert(user.to_owned()) && frame.contains(user));
                *frames.entry(partition).or_default() += 1;
            });
            assert_eq!(steps.keys().collect::<Vec<_>>(), ["10900}", "3700}", "7300}"]);
            for (users, frames) in steps.values() {
                assert_eq!(users.len() as u32, each * u32::from(partitions));
                assert_eq!(frames.values().copied().collect::<BTreeSet<u32>>(), [each].into());
                assert_eq!(frames.len(), usize::from(partitions));
            }
        }
    }
}
