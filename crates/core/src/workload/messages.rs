//! What a topic gets of a workload: every message in the order in which it is sent, and the transactions around them.
//!
//! A delivery sends this and a diagnosis counts it, so that the two cannot differ.

use super::block::{GeneratedBlock, GeneratedLine, Meant};
use super::definition::{Key, Transactions, Workload};
use super::epilogue::epilogue;
use super::generator::Generator;
use super::partitioner::partition_of;
use super::trouble::Share;
use kuu_frame::{FrameFormat, Member, Root, fast::FastParser};

/// What a message is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A line of the data.
    Data {
        /// Whether its stamp has nothing to do with the time of its partition.
        is_wild: bool,
    },
    /// A message without a value, between the data.
    Tombstone,
    /// A frame of a transaction that is aborted.
    Aborted,
    /// A frame after the data, so that the last window closes.
    Epilogue,
}

/// One message of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicMessage<'a> {
    /// What it is there for.
    pub role: Role,
    /// Its partition.
    pub partition: u16,
    /// Its key, if it has one.
    pub key: Option<&'a str>,
    /// Its value; none in a tombstone.
    pub value: Option<&'a [u8]>,
}

/// What a delivery does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStep<'a> {
    /// It begins a transaction.
    Begin,
    /// It sends a message.
    Send(TopicMessage<'a>),
    /// It commits the transaction.
    Commit,
    /// It aborts the transaction.
    Abort,
}

/// Something that happens in a share of the cases, evenly spread.
struct Now {
    share: f64,
    due: f64,
}

impl Now {
    fn new(share: Option<Share>) -> Now {
        Now { share: share.map_or(0.0, f64::from), due: 0.0 }
    }

    fn happens(&mut self) -> bool {
        self.due += self.share;
        let happens = self.due >= 1.0;
        self.due -= f64::from(u8::from(happens));
        happens
    }
}

/// The messages of one workload, as far as they are known: each line of the data adds some.
pub struct Messages<'w> {
    workload: &'w Workload,
    parser: FastParser,
    tombstone: Now,
    abort: Now,
    /// Lines so far.
    lines: u64,
    /// Frames of aborted transactions so far.
    aborted: u64,
    /// Lines in the open transaction.
    open: u32,
    /// The latest time of a frame that is plausible.
    last: i64,
}

impl<'w> Messages<'w> {
    /// Before the first line.
    pub fn new(workload: &'w Workload) -> Messages<'w> {
        let delivery = &workload.delivery;
        Messages {
            tombstone: Now::new(delivery.tombstones),
            abort: Now::new(delivery.transactions.map(|transactions| transactions.abort)),
            parser: FastParser::new(&FrameFormat::default()),
            lines: 0,
            aborted: 0,
            open: 0,
            // The frames of a file may be of any time.
            last: if workload.file.is_some() { 0 } else { workload.frames.start },
            workload,
        }
    }

    /// All steps of a workload whose frames are made.
    ///
    /// # Errors
    /// The first error of `take`; what comes after it is left out.
    pub fn of_made<E>(
        workload: &'w Workload,
        generator: &Generator,
        mut take: impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut messages, mut block) = (Messages::new(workload), GeneratedBlock::default());
        for number in 0..generator.blocks() {
            generator.fill(number, &mut block);
            block.lines().try_for_each(|line| messages.made_line(&line, &mut take))?;
        }
        messages.end(&mut take)
    }

    /// The steps of a line that is made; a blank one has none.
    ///
    /// # Errors
    /// The first error of `take`.
    pub fn made_line<E>(
        &mut self,
        line: &GeneratedLine<'_>,
        mut take: impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_wild = match line.meant {
            Meant::Blank => return Ok(()),
            Meant::Frame { is_wild, .. } => is_wild,
            Meant::Malformed(_) => false,
        };
        self.last = self.last.max(line.plausible_ts().unwrap_or(self.last));
        let key = self.parser.root(line.bytes).ok().and_then(Root::key).map(str::to_owned);
        self.line(line.bytes, is_wild, line.partition, key.as_deref(), &mut take)
    }

    /// The steps of a line of a file, which is not blank.
    ///
    /// # Errors
    /// The first error of `take`.
    pub fn file_line<E>(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let root = self.parser.root(bytes).ok();
        let key = root.and_then(Root::key).map(str::to_owned);
        if let Some(Member::Good(ts)) = root.map(|root| root.ts) {
            self.last = self.last.max(ts);
        }
        let partitions = self.workload.frames.partitions;
        let partition = match &key {
            Some(key) if self.workload.delivery.key == Key::User => partition_of(key.as_bytes(), partitions),
            _ => (self.lines % u64::from(partitions)) as u16,
        };
        self.line(bytes, false, partition, key.as_deref(), &mut take)
    }

    /// The last frame of a partition, of a user whom no other frame has.
    fn last_user<E>(
        &mut self,
        partition: u16,
        take: &mut impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let user = format!("the last one of partition {partition}");
        let frame = format!(r#"{{"uid":"{user}","ts":{}}}"#, self.last);
        self.line(frame.as_bytes(), false, partition, Some(&user), take)
    }

    /// The steps after the last line: the epilogue, and the end of the last transaction.
    ///
    /// # Errors
    /// The first error of `take`.
    pub fn end<E>(mut self, mut take: impl FnMut(DeliveryStep<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut done = Ok(());
        if self.workload.part.last_users {
            (0..self.workload.frames.partitions).try_for_each(|partition| self.last_user(partition, &mut take))?;
        }
        if self.workload.epilogue {
            if self.workload.delivery.transactions.is_some() && self.open == 0 {
                take(DeliveryStep::Begin)?;
                self.open = 1;
            }
            epilogue(&self.workload.frames, self.last, |partition, user, frame| {
                if done.is_ok() {
                    let (key, value) = (self.key(Some(user)), Some(frame.as_bytes()));
                    done = take(DeliveryStep::Send(TopicMessage { role: Role::Epilogue, partition, key, value }));
                }
            });
        }
        done?;
        self.close(take)
    }

    /// The steps with which a delivery ends that is broken off: the transaction that is open is committed.
    ///
    /// # Errors
    /// That of `take`.
    pub fn close<E>(self, mut take: impl FnMut(DeliveryStep<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.open > 0 { take(DeliveryStep::Commit) } else { Ok(()) }
    }

    fn key<'k>(&self, user: Option<&'k str>) -> Option<&'k str> {
        user.filter(|_| self.workload.delivery.key == Key::User)
    }

    fn line<E>(
        &mut self,
        bytes: &[u8],
        is_wild: bool,
        partition: u16,
        user: Option<&str>,
        take: &mut impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(transactions) = self.workload.delivery.transactions {
            self.transaction(transactions, partition, take)?;
        }
        if self.tombstone.happens() {
            let (role, key) = (Role::Tombstone, self.key(Some("nobody")));
            take(DeliveryStep::Send(TopicMessage { role, partition, key, value: None }))?;
        }
        let (role, key) = (Role::Data { is_wild }, self.key(user));
        take(DeliveryStep::Send(TopicMessage { role, partition, key, value: Some(bytes) }))?;
        self.lines += 1;
        Ok(())
    }

    /// Begins a transaction where one is due, and before some of them another one that is aborted.
    fn transaction<E>(
        &mut self,
        Transactions { frames, .. }: Transactions,
        partition: u16,
        take: &mut impl FnMut(DeliveryStep<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.open > 0 && self.open < frames {
            self.open += 1;
            return Ok(());
        }
        if self.open > 0 {
            self.open = 0;
            take(DeliveryStep::Commit)?;
        }
        if self.abort.happens() {
            take(DeliveryStep::Begin)?;
            for _ in 0..frames {
                let user = format!("aborted-{}", self.aborted);
                let frame = format!(r#"{{"uid":"{user}","ts":{}}}"#, self.last);
                let (key, value) = (self.key(Some(&user)), Some(frame.as_bytes()));
                take(DeliveryStep::Send(TopicMessage { role: Role::Aborted, partition, key, value }))?;
                self.aborted += 1;
            }
            take(DeliveryStep::Abort)?;
        }
        take(DeliveryStep::Begin)?;
        self.open = 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn steps(text: &str, lines: Option<&[&str]>) -> (String, Vec<u16>) {
        let workload = Workload::parse(text).unwrap();
        let (mut steps, mut partitions) = (String::new(), Vec::new());
        let mut take = |step: DeliveryStep<'_>| {
            steps.push(match step {
                DeliveryStep::Begin => 'B',
                DeliveryStep::Commit => 'C',
                DeliveryStep::Abort => 'A',
                DeliveryStep::Send(message) => {
                    assert_eq!(message.value.is_none(), message.role == Role::Tombstone);
                    if message.role != Role::Epilogue {
                        partitions.push(message.partition);
                    }
                    match message.role {
                        Role::Data { .. } => 'd',
                        Role::Tombstone => 't',
                        Role::Aborted => 'a',
                        Role::Epilogue => 'e',
                    }
                }
            });
            Ok::<(), Infallible>(())
        };
        let Ok(()) = match lines {
            None => Messages::of_made(&workload, &Generator::new(&workload.frames).unwrap(), take),
            Some(lines) => {
                let mut messages = Messages::new(&workload);
                lines.iter().try_for_each(|line| messages.file_line(line.as_bytes(), &mut take)).unwrap();
                messages.end(take)
            }
        };
        (steps, partitions)
    }

    const REST: &str = "[expect]\nread = 6\ncounted = 6\nwindows = 1";

    #[test]
    fn transactions_tombstones_and_the_epilogue() {
        let delivery = "tombstones = 0.5\ntransactions = { frames = 2, abort = 0.5 }";
        let text = |first: &str| {
            format!(
                "why = 'x'\ntier = 'contract'\n{first}\n[frames]\nframes = 6\npartitions = 2\n[delivery]\n{delivery}\n{REST}"
            )
        };
        let (data, partitions) = steps(&text(""), None);
        assert_eq!(data, "BdtdCBaaABdtdCBdtdC");
        assert_eq!(partitions, [0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1]);
        let (all, _) = steps(&text("epilogue = true"), None);
        assert_eq!(all, format!("BdtdCBaaABdtdCBdtd{}C", "e".repeat(3_000)));
    }

    #[test]
    fn lines_of_a_file_go_to_the_partition_of_their_key() {
        let text = |key: &str| {
            format!(
                "why = 'x'\ntier = 'contract'\nfile = 'a'\n[frames]\npartitions = 3\n[delivery]\nkey = '{key}'\n{REST}"
            )
        };
        let lines = [r#"{"uid":"21","ts":1}"#, "{}", r#"{"uid":"abc","ts":1}"#, r#"{"uid":"21","ts":1}"#];
        let (of_21, of_abc) = (partition_of(b"21", 3), partition_of(b"abc", 3));
        assert_eq!(steps(&text("user"), Some(&lines)), ("dddd".into(), vec![of_21, 1, of_abc, of_21]));
        assert_eq!(steps(&text("none"), Some(&lines)), ("dddd".into(), vec![0, 1, 2, 0]));
    }

    #[test]
    fn it_ends_with_the_first_error() {
        let text = format!("why = 'x'\ntier = 'contract'\n[frames]\nframes = 6\n{REST}");
        let workload = Workload::parse(&text).unwrap();
        let mut left = 3;
        let ended = Messages::of_made(&workload, &Generator::new(&workload.frames).unwrap(), |_| {
            left -= 1;
            if left == 0 { Err("full") } else { Ok(()) }
        });
        assert_eq!((ended, left), (Err("full"), 0));
    }

    #[test]
    fn each_partition_ends_with_a_user_of_its_own() {
        let text = format!("why = 'x'\ntier = 'contract'\nfile = 'a'\n[frames]\npartitions = 2\n{REST}");
        let mut workload = Workload::parse(&text).unwrap();
        workload.part.last_users = true;
        let mut messages = Messages::new(&workload);
        let mut sent = Vec::new();
        let mut take = |step: DeliveryStep<'_>| {
            if let DeliveryStep::Send(TopicMessage { partition, key, value, role }) = step {
                let value = String::from_utf8_lossy(value.unwrap()).into_owned();
                sent.push((partition, key.unwrap().to_owned(), value, role == Role::Data { is_wild: false }));
            }
            Ok::<(), Infallible>(())
        };
        let Ok(()) = messages.file_line(br#"{"uid":"21","ts":7}"#, &mut take);
        let Ok(()) = messages.end(&mut take);
        let last = |partition| {
            let user = format!("the last one of partition {partition}");
            (partition, user.clone(), format!(r#"{{"uid":"{user}","ts":7}}"#), true)
        };
        assert_eq!(sent[1..], [last(0), last(1)]);
    }
}
