//! Restores the order of timestamps in a stream.

use std::collections::BTreeMap;

/// Holds items until the watermark has passed their timestamps: a priority queue whose depth is the lateness. Items of
/// the same second keep their order of arrival.
#[derive(Debug)]
pub struct Reorder<T> {
    waiting: BTreeMap<i64, Vec<T>>,
    /// Everything before this second was released.
    released: i64,
}

impl<T> Default for Reorder<T> {
    fn default() -> Reorder<T> {
        Reorder { waiting: BTreeMap::new(), released: i64::MIN }
    }
}

impl<T> Reorder<T> {
    /// A queue that has released everything before the second `released`.
    pub fn from(released: i64) -> Reorder<T> {
        Reorder { waiting: BTreeMap::new(), released }
    }

    /// Everything before this second was released.
    pub fn released(&self) -> i64 {
        self.released
    }

    /// The items that wait.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.waiting.values().flatten()
    }

    /// Takes an item with the timestamp `ts`.
    ///
    /// # Errors
    /// Returns the item if it comes after its turn.
    pub fn push(&mut self, ts: i64, item: T) -> Result<(), T> {
        if ts < self.released {
            return Err(item);
        }
        self.waiting.entry(ts).or_default().push(item);
        Ok(())
    }

    /// Releases, in order, the items before the watermark.
    pub fn release(&mut self, watermark: i64) -> impl Iterator<Item = T> + use<T> {
        self.released = self.released.max(watermark);
        // Splitting allocates, and after most frames there is nothing to release.
        let due = self.waiting.first_key_value().is_some_and(|(ts, _)| *ts < watermark);
        let released = if due {
            let later = self.waiting.split_off(&watermark);
            std::mem::replace(&mut self.waiting, later)
        } else {
            BTreeMap::new()
        };
        released.into_values().flatten()
    }

    /// Releases all items, in order, at the end of the input.
    pub fn finish(&mut self) -> impl Iterator<Item = T> + use<T> {
        if let Some((last, _)) = self.waiting.last_key_value() {
            self.released = self.released.max(*last);
        }
        std::mem::take(&mut self.waiting).into_values().flatten()
    }

    /// The number of items that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn releases_what_the_watermark_has_passed_in_order() {
        let mut order = Reorder::default();
        for (ts, item) in [(5, "a"), (3, "b"), (5, "c"), (4, "d"), (9, "e")] {
            assert_eq!(order.push(ts, item), Ok(()));
        }
        assert_eq!(order.release(5).collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(order.push(4, "late"), Err("late"), "its turn is over");
        assert_eq!(order.push(5, "f"), Ok(()), "this one's has not come");
        assert_eq!(order.release(6).collect::<Vec<_>>(), ["a", "c", "f"]);
        assert_eq!(order.waiting(), 1);
        assert_eq!(order.finish().collect::<Vec<_>>(), ["e"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_order_holds(steps in prop::collection::vec((0i64..50, 0i64..3), 0..200)) {
            let mut order = Reorder::default();
            let (mut out, mut refused, mut watermark) = (Vec::new(), 0, 0);
            for (i, (ts, advance)) in steps.iter().enumerate() {
                refused += usize::from(order.push(*ts, (*ts, i)).is_err());
                watermark += advance;
                out.extend(order.release(watermark));
            }
            out.extend(order.finish());
            prop_assert_eq!(out.len() + refused, steps.len());
            prop_assert!(out.is_sorted());
        }
    }
}
