//! A HyperLogLog of 256 registers: off by 6.5 % (Flajolet et al. 2007, 1.04 / sqrt(256)).

use std::hash::{DefaultHasher, Hash, Hasher};

const REGISTERS: usize = 256;

/// A sketch of distinct users.
pub struct Sketch;

impl Sketch {
    /// About how many users there are.
    pub fn of<'a>(users: impl Iterator<Item = &'a str>) -> u64 {
        let mut registers = [0_u32; REGISTERS];
        for user in users {
            let mut hasher = DefaultHasher::new();
            user.hash(&mut hasher);
            let hash = hasher.finish();
            let register = &mut registers[(hash % REGISTERS as u64) as usize];
            *register = (*register).max((hash / REGISTERS as u64).trailing_zeros() + 1);
        }
        let count = REGISTERS as f64;
        let sum: f64 = registers.iter().map(|register| 0.5_f64.powi(*register as i32)).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = registers.iter().filter(|register| **register == 0).count();
        let is_small = estimate <= 2.5 * count && empty > 0;
        let users = if is_small { count * (count / empty as f64).ln() } else { estimate };
        users.round() as u64
    }
}
