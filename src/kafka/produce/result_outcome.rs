//! What became of a count's records: the last offsets, and the first lost record.

use crate::engine::sink::Letter;
use crate::kafka::client::descriptors::exhausted;
use crate::kafka::client::refusal::lack;
use crate::kafka::client::settings::Settings;
use crate::kafka::produce::deliveries::Outcome;
use crate::kafka::topics::count_topics::CountTopics;
use crate::kafka::topics::limits::{SMALL, alter};
use crate::kafka::topics::written::{ANOTHER_TOPIC, Written};
use crate::terminal::count;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use thiserror::Error;

/// A record that was not written, the first one if there are several.
#[derive(Clone, Debug, Error)]
#[error("topic {topic} did not take what was written to it: {why}")]
pub struct Loss {
    /// The topic of the record.
    pub topic: String,
    /// Why the record was not written, and the remedy.
    pub why: String,
    /// The error code.
    pub code: Option<RDKafkaErrorCode>,
}

/// The first lost record, and the last offsets.
pub struct ResultOutcome {
    settings: Settings,
    topics: CountTopics,
    /// The first lost record, if there is one.
    pub(super) lost: Option<Loss>,
    /// Whether the user may not write to any topic.
    denied: bool,
    offsets: Offsets,
}

impl ResultOutcome {
    pub(super) fn new(settings: &Settings, topics: &CountTopics) -> ResultOutcome {
        let (settings, topics) = (settings.clone(), topics.clone());
        ResultOutcome { settings, topics, lost: None, denied: false, offsets: Offsets::default() }
    }

    /// The last offsets that were written, if they are acknowledged and known.
    pub(super) fn written(&self) -> Vec<Written> {
        self.offsets.written.clone()
    }

    /// Sets the offsets that an earlier run wrote last.
    pub(super) fn resume(&mut self, written: Vec<Written>) {
        self.offsets.written = written;
    }

    pub(super) fn loss(&self, topic: &str, error: &KafkaError) -> Loss {
        let code = match self.denied {
            true => Some(RDKafkaErrorCode::TopicAuthorizationFailed),
            false => error.rdkafka_error_code(),
        };
        let why = exhausted()
            .or_else(|| code.and_then(|code| lack(&self.settings, code, "Write", topic)))
            .unwrap_or_else(|| format!("{error}: see that it is there and writable, then count again"));
        Loss { topic: topic.to_owned(), why, code }
    }

    /// The loss of a message that is larger than its topic accepts, after compression.
    pub(super) fn too_large(&self, topic: &str, place: usize, bytes: usize) -> Loss {
        let CountTopics { input, .. } = &self.topics;
        let what = match Place::of(place) {
            Some(Place { partition, offset }) => {
                format!("the frame at partition {partition}, offset {offset} of topic {input}")
            }
            None => "a record".into(),
        };
        let needs = bytes + SMALL;
        let remedy = alter(&self.settings, topic, &format!("max.message.bytes={needs}"));
        Loss {
            topic: topic.to_owned(),
            why: format!(
                "{what} has {} bytes, with key and headers more than it takes (max.message.bytes): {remedy}, then count again",
                count(bytes as u64)
            ),
            code: Some(RDKafkaErrorCode::MessageSizeTooLarge),
        }
    }
}

/// The position of a forwarded frame, encoded in one word that librdkafka returns with the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    partition: usize,
    offset: i64,
}

impl Place {
    /// 44 bits are enough for the frames of a year at 500,000 a second.
    const OFFSET_BITS: u32 = 44;
    pub(super) const NONE: usize = 0;

    pub(super) fn of_letter(letter: &Letter) -> usize {
        Place { partition: letter.partition, offset: letter.offset }.word()
    }

    fn word(self) -> usize {
        let Ok(offset) = usize::try_from(self.offset) else { return Place::NONE };
        let fits = offset >> Place::OFFSET_BITS == 0 && self.partition < usize::MAX >> Place::OFFSET_BITS;
        if fits { (self.partition + 1) << Place::OFFSET_BITS | offset } else { Place::NONE }
    }

    fn of(word: usize) -> Option<Place> {
        let partition = (word >> Place::OFFSET_BITS).checked_sub(1)?;
        Some(Place { partition, offset: (word & ((1 << Place::OFFSET_BITS) - 1)) as i64 })
    }
}

impl Outcome for ResultOutcome {
    fn delivered(&mut self, message: &BorrowedMessage<'_>, _place: usize) {
        if let Err(loss) = self.offsets.follow(message.topic(), message.partition(), message.offset()) {
            self.lost.get_or_insert(loss);
        }
    }

    fn lost(&mut self, error: &KafkaError, message: &BorrowedMessage<'_>, place: usize) {
        if self.lost.is_none() {
            let bytes = message.key_len() + message.payload_len();
            self.lost = Some(match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => self.too_large(message.topic(), place, bytes),
                _ => self.loss(message.topic(), error),
            });
        }
    }

    fn denied(&mut self) {
        self.denied = true;
    }
}

#[derive(Default)]
struct Offsets {
    written: Vec<Written>,
    /// The last message, if its offset is unknown.
    unknown: Option<Written>,
}

impl Offsets {
    /// Records an offset. Offsets only rise, unless the topic is a new one: many brokers create a missing topic on a
    /// write.
    fn follow(&mut self, topic: &str, partition: i32, offset: i64) -> Result<(), Loss> {
        if self.is_unknown(topic, partition, offset) {
            return Ok(());
        }
        let known = self.written.iter_mut().find(|it| it.partition == partition && it.topic == topic);
        let Some(last) = known else {
            self.written.push(Written { topic: topic.to_owned(), partition, offset });
            return Ok(());
        };
        let before = std::mem::replace(&mut last.offset, offset);
        if offset > before {
            return Ok(());
        }
        Err(Loss {
            topic: topic.to_owned(),
            why: ANOTHER_TOPIC.into(),
            code: Some(RDKafkaErrorCode::UnknownTopicOrPartition),
        })
    }

    /// Whether the offset of a batch is unknown: the broker had the batch already, and its first answer was lost.
    /// librdkafka then numbers the messages from -1 or a lower number on.
    fn is_unknown(&mut self, topic: &str, partition: i32, offset: i64) -> bool {
        let follows = |last: &Written| last.partition == partition && last.offset + 1 == offset && last.topic == topic;
        let unknown = offset < 0 || self.unknown.as_ref().is_some_and(follows);
        self.unknown = unknown.then(|| Written { topic: topic.to_owned(), partition, offset });
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_is_not_known_says_nothing() {
        let mut offsets = Offsets::default();
        offsets.follow("output", 0, -1001).unwrap();
        assert!(offsets.written.is_empty());
        offsets.follow("output", 0, 5).unwrap();
        for unknown in [-1001, -1000, -1, 0, 1] {
            offsets.follow("output", 0, unknown).unwrap();
        }
        offsets.follow("output", 0, 6).unwrap();
        assert_eq!(offsets.written, [Written { topic: "output".into(), partition: 0, offset: 6 }]);
        assert_eq!(offsets.follow("output", 0, 6).unwrap_err().why, ANOTHER_TOPIC);
    }

    #[test]
    fn a_place_fits_into_a_word() {
        for place in
            [(0, 0), (3, 17), ((1 << 20) - 2, (1 << 44) - 1)].map(|(partition, offset)| Place { partition, offset })
        {
            assert_eq!(Place::of(place.word()), Some(place));
        }
        for place in [(0, -1), ((1 << 20) - 1, 0), (0, 1 << 44)].map(|(partition, offset)| Place { partition, offset })
        {
            assert_eq!(Place::of(place.word()), None, "{place:?}");
        }
    }
}
