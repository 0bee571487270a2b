//! Who a frame is about.

use super::dice::{Dice, mixed};

/// Bytes of a user id.
pub(super) const UID_LEN: usize = 19;

/// The two hexadecimal digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (mut pairs, mut byte) = ([[0; 2]; 256], 0);
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The most users of a stream with a skew, which needs a table of them.
pub const MOST_SKEWED_USERS: u32 = 20_000_000;

/// Draws users by number, from 0.
pub(super) struct Users {
    seed: u64,
    users: u32,
    /// Empty if every user is equally likely.
    table: Vec<Cell>,
}

/// A cell of Walker's alias table: the user of the cell below the threshold, the other one above it.
#[derive(Clone, Copy)]
struct Cell {
    threshold: u32,
    other: u32,
}

impl Users {
    pub(super) fn new(seed: u64, users: u32, skew: f64) -> Users {
        let table = if skew > 0.0 && users > 1 { zipf(users, skew) } else { Vec::new() };
        Users { seed: mixed(seed ^ 0x7569_6400), users, table }
    }

    #[inline]
    pub(super) fn draw(&self, dice: &mut Dice) -> u32 {
        let first = dice.below(self.users);
        let Some(cell) = self.table.get(first as usize) else { return first };
        if (dice.next() >> 32) as u32 <= cell.threshold { first } else { cell.other }
    }

    /// The id of a user: hexadecimal, different for every user, as the first 16 digits are a permutation of the number.
    #[inline]
    pub(super) fn uid(&self, user: u32) -> [u8; UID_LEN] {
        let first = mixed(self.seed.wrapping_add(u64::from(user)));
        let rest = mixed(!first);
        let mut digits = [0; UID_LEN + 1];
        let bytes = first.to_be_bytes().into_iter().chain(rest.to_be_bytes());
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = PAIRS[usize::from(byte)];
        }
        let mut uid = [0; UID_LEN];
        uid.copy_from_slice(&digits[..UID_LEN]);
        uid
    }
}

/// The table for users whose share falls with their number k, from 1, as `1 / k^skew`.
fn zipf(users: u32, skew: f64) -> Vec<Cell> {
    const ONE: u64 = 1 << 32;
    // `powf` of the standard library differs between platforms.
    let weight = |k: u32| libm::pow(f64::from(k), -skew);
    let sum: f64 = (1..=users).map(weight).sum();
    let scale = f64::from(users) / sum * ONE as f64;
    // The mean of all is ONE.
    let mut left: Vec<u64> = (1..=users).map(|k| (weight(k) * scale) as u64).collect();
    let mut cells: Vec<Cell> = (0..users).map(|other| Cell { threshold: u32::MAX, other }).collect();
    let mut small: Vec<u32> = (0..users).filter(|user| left[*user as usize] < ONE).collect();
    let mut large: Vec<u32> = (0..users).filter(|user| left[*user as usize] >= ONE).collect();
    while let (Some(low), Some(high)) = (small.pop(), large.last().copied()) {
        let (low_at, high_at) = (low as usize, high as usize);
        cells[low_at] = Cell { threshold: left[low_at] as u32, other: high };
        left[high_at] -= ONE - left[low_at];
        if left[high_at] < ONE {
            large.pop();
            small.push(high);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_user_has_another_id() {
        let users = Users::new(7, 100_000, 0.0);
        let ids: HashSet<_> = (0..100_000).map(|user| users.uid(user)).collect();
        assert_eq!(ids.len(), 100_000);
        assert!(ids.iter().flatten().all(u8::is_ascii_hexdigit));
    }

    #[test]
    fn shares_follow_zipf() {
        let (users, mut dice) = (Users::new(7, 1000, 1.0), Dice::new(1, 1));
        let mut drawn = [0u32; 1000];
        for _ in 0..1_000_000 {
            drawn[users.draw(&mut dice) as usize] += 1;
        }
        // The sum of 1/k up to 1000 is 7.485.
        for (user, expected) in [(0, 133_592.0), (1, 66_796.0), (9, 13_359.0), (99, 1_336.0)] {
            let found = f64::from(drawn[user]);
            assert!((found - expected).abs() < 4.0 * f64::sqrt(expected), "user {user}: {found}");
        }
        assert_eq!(drawn.iter().filter(|times| **times == 0).count(), 0);
    }

    #[test]
    fn without_skew_all_are_alike() {
        let (users, mut dice) = (Users::new(7, 10, 0.0), Dice::new(1, 1));
        let mut drawn = [0u32; 10];
        for _ in 0..100_000 {
            drawn[users.draw(&mut dice) as usize] += 1;
        }
        assert!(drawn.iter().all(|times| (9_600..10_400).contains(times)), "{drawn:?}");
    }
}
