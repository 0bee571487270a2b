//! Takes the messages of a workload.

use super::case::{Case, CaseFrame, DialectLine};
use super::dialect;
use super::lenience::{Found, Lenience};
use super::reading::{Said, read};
use super::tally::Numbers;
use super::taste;
use crate::workload::{DeliveryStep, Generator, Messages, Role, TopicMessage, Workload};
use std::collections::BTreeMap;
use std::convert::Infallible;

impl Case {
    /// The case of a workload whose frames are made.
    ///
    /// # Errors
    /// If frames cannot be made of its specification.
    pub fn of_made(workload: &Workload) -> Result<Case, String> {
        let generator = Generator::new(&workload.frames)?;
        let mut builder = CaseBuilder::new(workload);
        let Ok(()) = Messages::of_made(workload, &generator, |step| {
            builder.take(step);
            Ok::<(), Infallible>(())
        });
        Ok(builder.finish())
    }

    /// The case of a workload whose frames are these lines of a file, without the blank ones.
    pub fn of_lines<L: AsRef<[u8]>>(workload: &Workload, lines: impl IntoIterator<Item = L>) -> Case {
        let (mut builder, mut messages) = (CaseBuilder::new(workload), Messages::new(workload));
        let mut take = |step: DeliveryStep<'_>| {
            builder.take(step);
            Ok::<(), Infallible>(())
        };
        for line in lines {
            let Ok(()) = messages.file_line(line.as_ref(), &mut take);
        }
        let Ok(()) = messages.end(take);
        builder.finish()
    }
}

/// Takes what a topic gets of a workload.
pub struct CaseBuilder {
    case: Case,
    /// The time of the frame before, by partition.
    before: Vec<i64>,
}

impl CaseBuilder {
    /// Before the first message.
    pub fn new(workload: &Workload) -> CaseBuilder {
        let case = Case {
            numbers: Numbers::new(&workload.frames.window),
            workload: workload.clone(),
            frames: Vec::new(),
            dialects: Vec::new(),
            damaged: Vec::new(),
            epilogue: None,
            bounds: BTreeMap::new(),
            answers: Vec::new(),
        };
        let partitions = usize::from(workload.frames.partitions);
        CaseBuilder { before: vec![0; partitions], case }
    }

    /// Takes the next step of the delivery.
    pub fn take(&mut self, step: DeliveryStep<'_>) {
        let DeliveryStep::Send(TopicMessage { role, partition, value, .. }) = step else { return };
        let Some(value) = value else {
            let needs = [(Lenience::Tombstone, 0), (Lenience::TombstoneOfNow, self.before[usize::from(partition)])];
            let found = needs.map(|(need, ts)| Found { needs: need.bit(), frames: vec![(String::new(), ts)] });
            return self.case.damaged.push(found.into());
        };
        match (read(value), role) {
            (Said::Frame { ts, .. }, Role::Epilogue) => {
                let (first, last) = self.case.epilogue.unwrap_or((ts, ts));
                self.case.epilogue = Some((first.min(ts), last.max(ts)));
            }
            (Said::Frame { uid, ts }, _) => self.frame(&uid, ts, role, partition, false),
            (Said::Dialect(object), _) => {
                let at = self.case.frames.len();
                if let Some((uid, ts)) = taste::strict(&object) {
                    self.frame(&uid, ts, role, partition, true);
                }
                self.case.dialects.push(DialectLine { object, at, partition, role });
            }
            (Said::Damaged(found), _) => self.case.damaged.push(found),
        }
    }

    /// The case, after the last message.
    pub fn finish(self) -> Case {
        let mut case = self.case;
        case.fill();
        case.answers = dialect::answers(&case);
        case
    }

    fn frame(&mut self, uid: &str, ts: i64, role: Role, partition: u16, is_dialect: bool) {
        let frame = CaseFrame::new(&mut self.case.numbers, uid, ts, partition, role);
        self.before[usize::from(partition)] = ts;
        self.case.frames.push(CaseFrame { is_dialect, ..frame });
    }
}
