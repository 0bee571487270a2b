//! Which damage a count takes for frames.

use super::case::Case;
use super::lenience::{Found, Lenience};
use super::tally::UsersByWindow;
use std::collections::{BTreeMap, HashSet};
use strum::VariantArray;

/// The most leniences that are tried in all combinations.
const MOST: usize = 16;

/// Pairs of a window and a user that are in no frame of the data, of one way to read a message.
struct TakenAs {
    needs: u32,
    pairs: Vec<(u32, u32)>,
}

/// The damaged messages of a case, as lenient readers take them.
pub(super) struct Damage<'c> {
    case: &'c Case,
    numbers: super::tally::Numbers,
    messages: Vec<Vec<TakenAs>>,
    right: UsersByWindow,
}

impl<'c> Damage<'c> {
    pub(super) fn new(case: &'c Case) -> Damage<'c> {
        let mut numbers = case.numbers.clone();
        let data: HashSet<(u32, u32)> = case
            .data()
            .flat_map(|(_, frame)| frame.windows.iter().map(|window| (*window, frame.user)).collect::<Vec<_>>())
            .collect();
        let mut reading = |found: &Found| {
            let mut pairs = Vec::new();
            for (uid, ts) in &found.frames {
                let user = numbers.user(uid);
                pairs.extend(numbers.windows(*ts).into_iter().map(|window| (window, user)));
            }
            pairs.retain(|pair| !data.contains(pair));
            TakenAs { needs: found.needs, pairs }
        };
        let messages = case.damaged.iter().map(|message| message.iter().map(&mut reading).collect()).collect();
        Damage { messages, numbers, right: case.count(|_, _, _| true), case }
    }

    /// The most users of every window: those of the data, and all that any reader finds.
    pub(super) fn most(&self) -> UsersByWindow {
        let all = self.messages.iter().flatten().flat_map(|reading| reading.pairs.iter().copied());
        self.with(&self.numbers.count(all))
    }

    /// The answer of a reader with these leniences.
    pub(super) fn answer(&self, leniences: u32) -> UsersByWindow {
        let first = |message: &&Vec<TakenAs>| message.iter().any(|reading| reading.needs & !leniences == 0);
        let taken = self.messages.iter().filter(first).flat_map(|message| {
            let reading = message.iter().find(|reading| reading.needs & !leniences == 0);
            reading.map_or(&[][..], |reading| &reading.pairs).iter().copied()
        });
        self.with(&self.numbers.count(taken))
    }

    fn with(&self, more: &UsersByWindow) -> UsersByWindow {
        let mut all: BTreeMap<_, _> = self.right.clone();
        more.iter().for_each(|(window, users)| *all.entry(*window).or_default() += users);
        self.case.judged(&all)
    }

    /// The leniences that have something to take here.
    pub(super) fn leniences(&self) -> Vec<Lenience> {
        let any = self.messages.iter().flatten().fold(0, |any, reading| any | reading.needs);
        Lenience::VARIANTS.iter().copied().filter(|lenience| any & lenience.bit() > 0).collect()
    }

    /// The fewest leniences that give this answer exactly.
    pub(super) fn explain(&self, answer: &UsersByWindow) -> Option<Vec<Lenience>> {
        let most = self.most();
        let fits = |window, users: u64| users >= self.right.get(window).copied().unwrap_or(0);
        let is_between = answer.iter().all(|(window, users)| most.get(window).is_some_and(|most| users <= most))
            && self.case.bounds.keys().all(|window| fits(window, answer.get(window).copied().unwrap_or(0)));
        let there = self.leniences();
        if !is_between || there.len() > MOST {
            return None;
        }
        let chosen = |subset: u32| there.iter().enumerate().filter(move |(bit, _)| subset >> bit & 1 == 1);
        let mut subsets: Vec<u32> = (1..1 << there.len()).collect();
        subsets.sort_by_key(|subset| subset.count_ones());
        let bits = |subset| chosen(subset).fold(0, |bits, (_, lenience)| bits | lenience.bit());
        let found = subsets.into_iter().find(|subset| self.answer(bits(*subset)) == *answer)?;
        Some(chosen(found).map(|(_, lenience)| *lenience).collect())
    }
}
