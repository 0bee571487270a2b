//! What became of every frame.

use kuu_frame::Malformed;

/// Counts of frames by fate: `read = counted + malformed + too_late + too_far`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Values that were read, blank lines left out.
    pub read: u64,
    /// Frames that some window counts.
    pub counted: u64,
    /// Values that are no frame, by reason, in the order of [`Malformed::ALL`].
    pub malformed: [u64; Malformed::ALL.len()],
    /// Frames whose window is beyond its retention.
    pub too_late: u64,
    /// Frames whose window is far from every clock, when too many such windows were open.
    pub too_far: u64,
    /// Blank lines of a file; no part of the balance.
    pub blank: u64,
    /// Counted frames whose window had its on-time result already; part of `counted`.
    pub late: u64,
    /// Counted frames that came after their turn in an ordered output; part of `counted`.
    pub out_of_order: u64,
}

impl Ledger {
    /// Books a value that is no frame.
    pub fn malformed(&mut self, reason: Malformed) {
        self.read += 1;
        self.malformed[reason as usize] += 1;
    }

    /// Adds the counts of another one, of other frames.
    pub fn add(&mut self, other: &Ledger) {
        self.read += other.read;
        self.counted += other.counted;
        for (mine, theirs) in self.malformed.iter_mut().zip(other.malformed) {
            *mine += theirs;
        }
        self.too_late += other.too_late;
        self.too_far += other.too_far;
        self.blank += other.blank;
        self.late += other.late;
        self.out_of_order += other.out_of_order;
    }

    /// Values that are no frame, for whatever reason.
    pub fn malformed_total(&self) -> u64 {
        self.malformed.iter().sum()
    }

    /// Whether every value that was read has exactly one fate.
    pub fn balances(&self) -> bool {
        self.read == self.counted + self.malformed_total() + self.too_late + self.too_far
    }
}
