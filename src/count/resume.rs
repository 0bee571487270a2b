//! The start of a count: the group's state, which must fit the topic, or else the topic's start.

use crate::count::recovery::Job;
use crate::engine::start::Start;
use crate::kafka::admin::Range;
use crate::kafka::commit::state_topic::{Origin, State};
use crate::kafka::topics::identity::Ids;
use crate::kafka::topics::written::ANOTHER_TOPIC;
use anyhow::{Result, bail};

impl Job {
    /// Starts without a state, if the group never counted. Frames that are deleted already do not belong to this count:
    /// each partition begins at its first offset, so that a restart can tell them from frames that are deleted later.
    pub(super) fn start(&self, committed: &[i64], ranges: &[Range]) -> Result<Start> {
        if committed.iter().any(|position| *position >= 0) {
            let (topic, group) = (&self.topics.input, &self.group);
            bail!(
                "group {group} stands at {committed:?} in topic {topic} (-1: nowhere), but has no state: topic {} was deleted, \
                 or the group counted at least once. From the start it would write its results a second time: use another \
                 --group and --output, or --recreate to delete them",
                State::topic(group)
            );
        }
        let begin = |range: &Range| if range.low > 0 { range.low } else { -1 };
        Ok(Start { positions: ranges.iter().map(begin).collect(), held: None })
    }

    /// Checks that the input is still the topic that the state was made of, and skips the counted frames.
    pub(super) fn resume(&self, origin: &Origin, ids: &Ids, committed: &[i64], ranges: &mut [Range]) -> Result<Start> {
        let (topic, group) = (&self.topics.input, &self.group);
        let Origin { positions, held, .. } = origin;
        let remedy = "--recreate deletes results and state to count anew";
        if let Some((then, now)) = origin.differs(topic, ids) {
            bail!(
                "topic {topic} is not the one that group {group} counted: the topic was deleted since and made anew (its id was \
                 {then}, now {now}). Nothing of it is counted: {remedy}; another --group and --output keep them"
            );
        }
        // This includes topics without an offset in the state: the state has only offsets that were acknowledged when
        // it was written.
        if let Some(other) = origin.topics.keys().find(|name| origin.differs(name, ids).is_some()) {
            bail!("topic {other} does not hold the results that were written to it: {ANOTHER_TOPIC}");
        }
        if positions != committed {
            bail!(
                "group {group} stands at {committed:?} in topic {topic}, its state at {positions:?} (-1: nowhere): the \
                 topic was deleted since, or the group's offsets were reset or expired. Set them to the state's with \
                 kafka-consumer-groups if the topic is the same; else {remedy}"
            );
        }
        if positions.len() > ranges.len() {
            bail!(
                "topic {topic} had {} partitions and has {}: it is another one; {remedy}",
                positions.len(),
                ranges.len()
            );
        }
        let mut start = Start { positions: positions.clone(), held: held.clone() };
        // Added partitions begin at their low end.
        start.positions.resize(ranges.len(), -1);
        for (partition, range) in ranges.iter_mut().enumerate() {
            let position = start.positions[partition];
            if position > range.high {
                bail!(
                    "topic {topic}, partition {partition} ends at {}, but {position} was counted: it is another topic; {remedy}",
                    range.high
                );
            }
            // A partition at -1 has no counted frames, and must be complete.
            let next = position.max(0);
            if next < range.low {
                bail!(
                    "topic {topic}, partition {partition}: frames {next} to {} were deleted before they were counted; \
                     {remedy}",
                    range.low - 1
                );
            }
            if position < 0 {
                continue;
            }
            let from = held.as_ref().map_or(position, |held| held.from.get(partition).map_or(position, |from| *from));
            if from < range.low {
                bail!(
                    "topic {topic}, partition {partition}: frames {from} to {} were deleted before the ordered output had \
                     them; {remedy}",
                    range.low - 1
                );
            }
            range.low = from;
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::start::RunOptions;
    use crate::kafka::client::lags::Lags;
    use crate::kafka::topics::count_topics::{CountTopics, Limits};
    use kuu_core::configuration::Guarantee;
    use kuu_core::counter::Config;
    use kuu_frame::ParserOptions;

    fn job() -> Job {
        Job {
            topics: CountTopics {
                input: "messages".into(),
                output: "output".into(),
                dead_letters: None,
                ordered: None,
                limits: Limits::default(),
            },
            group: "kuu".into(),
            guarantee: Guarantee::ExactlyOnce,
            threads: 1,
            parser: ParserOptions::default(),
            counting: Config::default(),
            follow: false,
            lags: Lags::default(),
            options: RunOptions::default(),
        }
    }

    fn ranges(ranges: &[(i64, i64)]) -> Vec<Range> {
        ranges.iter().map(|(low, high)| Range { low: *low, high: *high }).collect()
    }

    /// The start of a count with a state at `positions`, or why it cannot resume.
    fn resume(positions: &[i64], there: &[(i64, i64)]) -> Result<Vec<i64>, String> {
        let job = job();
        let text = job.origin(Ids::new()).at(positions, None, Vec::new());
        let origin = serde_json::from_slice(&text).unwrap();
        let start = job.resume(&origin, &Ids::new(), positions, &mut ranges(there));
        start.map(|start| start.positions).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_deleted_before_it_was_counted() {
        let lost = |partition, last| {
            Err(format!(
                "topic messages, partition {partition}: frames 0 to {last} were deleted before they were counted; --recreate \
                 deletes results and state to count anew"
            ))
        };
        assert_eq!(resume(&[7], &[(7, 9)]), Ok(vec![7]));
        assert_eq!(resume(&[0], &[(7, 9)]), lost(0, 6));
        // A partition was added since,
        assert_eq!(resume(&[7], &[(0, 9), (0, 9)]), Ok(vec![7, -1]));
        assert_eq!(resume(&[7], &[(0, 9), (5, 9)]), lost(1, 4));
        // or none of its frames were read before the last commit.
        assert_eq!(resume(&[7, -1], &[(0, 9), (0, 9)]), Ok(vec![7, -1]));
        assert_eq!(resume(&[7, -1], &[(0, 9), (9, 9)]), lost(1, 8));
    }

    #[test]
    fn what_was_deleted_before_a_count_began_is_not_its_own() {
        let job = job();
        let start = |committed: &[i64]| job.start(committed, &ranges(&[(0, 9), (5, 9)]));
        // A restart can tell these frames from frames that are deleted later.
        assert_eq!(start(&[-1, -1]).unwrap().positions, [-1, 5]);
        let positions = start(&[-1, -1]).unwrap().positions;
        assert_eq!(resume(&positions, &[(0, 9), (5, 9)]), Ok(vec![-1, 5]));
        assert!(start(&[3, -1]).is_err());
    }
}
