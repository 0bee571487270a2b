//! In which order engines are measured.

/// The engines of round `round` (both from 0), in the order in which they take their turns.
///
/// Over [`full_cycle`] rounds each engine stands in each place equally often, and each runs directly after each other
/// one equally often: the squares of Williams, "Experimental Designs Balanced for the Estimation of Residual Effects
/// of Treatments" (Australian Journal of Scientific Research A 2, 1949). Each odd round is the one before it, backwards:
/// two engines come as A B B A, and a drift along a straight line cancels in every even number of rounds.
pub fn order(engines: usize, round: usize) -> Vec<usize> {
    let row = round / 2;
    // 0, n-1, 1, n-2, ...: neighbours differ by each amount once, so no pair is together twice.
    let zigzag = |place: usize| if place.is_multiple_of(2) { place / 2 } else { engines - 1 - place / 2 };
    let mut order: Vec<usize> = (0..engines).map(|place| (zigzag(place) + row) % engines).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// The number of rounds after which [`order`] has been fair to all: `engines` if even, else twice as many. Other numbers
/// of rounds are fair only about.
pub fn full_cycle(engines: usize) -> usize {
    if engines.is_multiple_of(2) { engines } else { 2 * engines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn two_take_turns_as_a_b_b_a() {
        assert_eq!([order(2, 0), order(2, 1)].concat(), [0, 1, 1, 0]);
        assert_eq!([order(2, 2), order(2, 3)].concat(), [1, 0, 0, 1]);
    }

    #[test]
    fn three_need_two_squares() {
        let rounds: Vec<_> = (0..6).map(|round| order(3, round)).collect();
        assert_eq!(rounds, [[0, 2, 1], [1, 2, 0], [1, 0, 2], [2, 0, 1], [2, 1, 0], [0, 1, 2]]);
    }

    #[test]
    fn none_and_one() {
        assert_eq!((order(0, 3), full_cycle(0)), (vec![], 0));
        assert_eq!((order(1, 3), full_cycle(1)), (vec![0], 2));
    }

    proptest! {
        #[test]
        fn a_cycle_is_fair_to_all(engines in 2_usize..=8, cycle in 0_usize..3) {
            let rounds = full_cycle(engines);
            let (mut places, mut neighbours) = (BTreeMap::new(), BTreeMap::new());
            for round in cycle * rounds..(cycle + 1) * rounds {
                let order = order(engines, round);
                order.iter().enumerate().for_each(|(slot, engine)| *places.entry((slot, *engine)).or_insert(0) += 1);
                order.windows(2).for_each(|pair| *neighbours.entry((pair[0], pair[1])).or_insert(0) += 1);
            }
            let times = rounds / engines;
            prop_assert_eq!(places.len(), engines * engines);
            prop_assert!(places.values().all(|it| *it == times), "{:?}", places);
            prop_assert_eq!(neighbours.len(), engines * (engines - 1));
            prop_assert!(neighbours.values().all(|it| *it == times), "{:?}", neighbours);
        }

        #[test]
        fn a_straight_drift_cancels_in_an_even_number_of_rounds(engines in 1_usize..=8, pairs in 1_usize..9) {
            let slots = (0..2 * pairs).flat_map(|round| order(engines, round));
            let mut sums = vec![0; engines];
            slots.enumerate().for_each(|(slot, engine)| sums[engine] += slot);
            prop_assert!(sums.iter().all(|sum| *sum == sums[0]), "{:?}", sums);
        }
    }
}
