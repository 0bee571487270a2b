//! Distinct users of windows, counted the plain way: all pairs of a window and a user, sorted.

use super::calendar::window_of;
use crate::window::{Unit, Window};
use std::collections::{BTreeMap, HashMap};

/// Distinct users by window. A window that is missing has none.
pub type UsersByWindow = BTreeMap<Window, u64>;

/// Numbers of users and of windows.
#[derive(Clone, Default)]
pub(super) struct Numbers {
    units: Vec<Unit>,
    users: HashMap<String, u32>,
    windows: Vec<Window>,
    window_numbers: HashMap<Window, u32>,
}

impl Numbers {
    pub(super) fn new(units: &[Unit]) -> Numbers {
        Numbers { units: units.to_vec(), ..Numbers::default() }
    }

    pub(super) fn user(&mut self, uid: &str) -> u32 {
        if let Some(number) = self.users.get(uid) {
            return *number;
        }
        let next = self.users.len() as u32;
        self.users.insert(uid.to_owned(), next);
        next
    }

    /// The windows of a second, one of each unit.
    pub(super) fn windows(&mut self, ts: i64) -> Vec<u32> {
        let units = self.units.clone();
        let number = |unit: Unit| {
            let (window, next) = (window_of(unit, ts), self.windows.len() as u32);
            *self.window_numbers.entry(window).or_insert_with(|| {
                self.windows.push(window);
                next
            })
        };
        units.into_iter().map(number).collect()
    }

    pub(super) fn window(&self, number: u32) -> Window {
        self.windows[number as usize]
    }

    /// Distinct users of these pairs of a window and a user.
    pub(super) fn count(&self, pairs: impl Iterator<Item = (u32, u32)>) -> UsersByWindow {
        let mut pairs: Vec<u64> = pairs.map(|(window, user)| u64::from(window) << 32 | u64::from(user)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let windows = pairs.chunk_by(|a, b| a >> 32 == b >> 32);
        windows.map(|users| (self.window((users[0] >> 32) as u32), users.len() as u64)).collect()
    }
}
