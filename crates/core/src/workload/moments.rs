//! When things happen in a race, as shares of the frames: the same for all of its engines.

use super::dice::{Dice, mixed};
use super::incident::{Action, Incident, When};

/// Before this share of the frames, in thousandths, nothing happens at random. A race sends over ten checkpoints at least:
/// the second one is behind an engine.
const FIRST_PER_MILLE: u16 = 250;
/// The last share: windows still close behind it.
const LAST_PER_MILLE: u16 = 900;
/// What is at least between two moments: a checkpoint and a quarter.
const APART_PER_MILLE: u16 = 125;

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The share of the frames that is sent by then, in thousandths.
    pub per_mille: u16,
    /// What happens.
    pub action: Action,
}

/// The moments of a workload of this name, in order. `seed` is that of the race.
pub fn moments(meanwhile: &[Incident], seed: u64, name: &str) -> Vec<Moment> {
    let named = name.bytes().fold(seed, |hash, byte| mixed(hash ^ u64::from(byte)).wrapping_add(1));
    let mut dice = Dice::new(named, 0);
    let mut fixed: Vec<Moment> = Vec::new();
    let mut at_random: Vec<Action> = Vec::new();
    for incident in meanwhile {
        match incident.when {
            When::At { percent } => {
                fixed.push(Moment { per_mille: u16::from(percent) * 10, action: incident.action });
            }
            When::Random { times } => at_random.extend(std::iter::repeat_n(incident.action, times.into())),
        }
    }
    // What is left when the least distances are taken off is drawn evenly.
    let gaps = at_random.len().saturating_sub(1) as u16 * APART_PER_MILLE;
    let room = (LAST_PER_MILLE - FIRST_PER_MILLE).saturating_sub(gaps);
    let mut drawn: Vec<u16> = at_random.iter().map(|_| dice.between(0, room.into()) as u16).collect();
    drawn.sort_unstable();
    let shares = (0..).zip(drawn).map(|(before, share)| FIRST_PER_MILLE + before * APART_PER_MILLE + share);
    for per_mille in shares {
        let action = at_random.swap_remove(dice.below(at_random.len() as u32) as usize);
        fixed.push(Moment { per_mille, action });
    }
    fixed.sort_by_key(|moment| moment.per_mille);
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn random(times: u8, action: Action) -> Incident {
        Incident { when: When::Random { times }, action }
    }

    fn shares(meanwhile: &[Incident], seed: u64, name: &str) -> Vec<u16> {
        moments(meanwhile, seed, name).iter().map(|moment| moment.per_mille).collect()
    }

    #[test]
    fn a_seed_has_its_moments() {
        let kills = [random(3, Action::KillEngine)];
        let first = shares(&kills, 1, "kill-random");
        assert_eq!(first, [309, 484, 612]);
        assert_eq!(shares(&kills, 1, "kill-random"), first);
        assert_ne!(shares(&kills, 2, "kill-random"), first);
        assert_ne!(shares(&kills, 1, "kill-late"), first);
    }

    #[test]
    fn shares_that_are_given_stay() {
        let at = |percent, action| Incident { when: When::At { percent }, action };
        let meanwhile = [at(60, Action::StallEngine), at(30, Action::RestartBroker)];
        let expected = [
            Moment { per_mille: 300, action: Action::RestartBroker },
            Moment { per_mille: 600, action: Action::StallEngine },
        ];
        assert_eq!(moments(&meanwhile, 7, "a"), expected);
        assert_eq!(moments(&[], 7, "a"), []);
    }

    proptest! {
        #[test]
        fn they_are_apart_and_within_the_frames(
            kills in 1_u8..=4, restarts in 0_u8..=1, seed: u64, name in "[a-z-]{1,20}",
        ) {
            let mut meanwhile = vec![random(kills, Action::KillEngine)];
            meanwhile.extend((restarts > 0).then(|| random(restarts, Action::RestartBroker)));
            let drawn = moments(&meanwhile, seed, &name);
            let of = |action| drawn.iter().filter(|moment| moment.action == action).count();
            prop_assert_eq!(of(Action::KillEngine), usize::from(kills));
            prop_assert_eq!(of(Action::RestartBroker), usize::from(restarts));
            prop_assert!(drawn.iter().all(|moment| (FIRST_PER_MILLE..=LAST_PER_MILLE).contains(&moment.per_mille)));
            prop_assert!(drawn.windows(2).all(|two| two[1].per_mille - two[0].per_mille >= APART_PER_MILLE));
            prop_assert_eq!(moments(&meanwhile, seed, &name), drawn);
        }
    }
}
