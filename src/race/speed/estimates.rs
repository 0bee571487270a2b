//! What the rounds of a race say together.

use kuu_core::speed::{RacedEngine, Ranking, SampleKey, SpeedEstimate, SpeedPhase, SpeedSample};
use kuu_core::statistics::{MIN_ROUNDS, RatioEstimate, ranks, verdicts};
use std::collections::BTreeMap;

/// A difference below this share is none: the threshold of faster and slower.
pub const THRESHOLD: f64 = 0.05;

/// The speeds of an engine, by round.
type Speeds = BTreeMap<u32, f64>;

/// The estimates of one input, the fastest first: of the engines that were right each time and have a speed. `reference`
/// is the engine to which the others are compared; it has no ratio. One that estimates has a ratio and no verdict.
pub fn of_input(
    samples: &[SpeedSample],
    phase: SpeedPhase,
    frames: u64,
    reference: &str,
    engines: &[RacedEngine],
) -> Vec<SpeedEstimate> {
    let mut all: BTreeMap<&str, Speeds> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.key.phase == phase && sample.key.frames == frames) {
        let SampleKey { engine, round, .. } = &sample.key;
        if is_right(samples, engine) {
            all.entry(engine).or_default().extend(sample.speed().map(|speed| (*round, speed)));
        }
    }
    let against = all.get(reference);
    let estimate = |(engine, speeds): (&&str, &Speeds)| {
        let ratio = against.filter(|_| *engine != reference).and_then(|against| paired(speeds, against));
        let own: Vec<f64> = speeds.values().copied().collect();
        SpeedEstimate {
            phase,
            frames,
            engine: (*engine).to_owned(),
            speed: RatioEstimate::paired(&own, &vec![1.0; own.len()]).ok(),
            ratio,
            speeds: speeds.clone(),
            verdict: None,
            rank: None,
        }
    };
    let mut estimates: Vec<SpeedEstimate> = all.iter().map(estimate).collect();
    let counts = |estimate: &SpeedEstimate| ranking(&estimate.engine, engines) != Ranking::Approximate;
    let ratios: Vec<RatioEstimate> =
        estimates.iter().filter(|one| counts(one)).filter_map(|estimate| estimate.ratio).collect();
    let mut verdicts = verdicts(&ratios, THRESHOLD).into_iter();
    for estimate in estimates.iter_mut().filter(|one| counts(one)) {
        estimate.verdict = estimate.ratio.and_then(|_| verdicts.next());
    }
    rank(&mut estimates, &all, engines);
    estimates.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    estimates
}

/// The ratio of the rounds that both have.
fn paired(speeds: &Speeds, reference: &Speeds) -> Option<RatioEstimate> {
    let shared = speeds.iter().filter_map(|(round, speed)| Some((*speed, *reference.get(round)?)));
    let (speeds, reference): (Vec<f64>, Vec<f64>) = shared.unzip();
    RatioEstimate::paired(&speeds, &reference).ok()
}

/// How this engine stands in the tables.
pub fn ranking(engine: &str, engines: &[RacedEngine]) -> Ranking {
    engines.iter().find(|one| one.name == engine).map_or(Ranking::Ranked, |one| one.ranking)
}

/// Ranks the engines over the rounds that all of them have. One that takes part twice has no rank the second time, and
/// one with fewer than two speeds has none.
fn rank(estimates: &mut [SpeedEstimate], all: &BTreeMap<&str, Speeds>, engines: &[RacedEngine]) {
    let is_ranked = |estimate: &SpeedEstimate| {
        twin(&estimate.engine).is_none() && estimate.speed.is_some() && ranking(&estimate.engine, engines).is_usual()
    };
    let ranked: Vec<&Speeds> =
        estimates.iter().filter(|one| is_ranked(one)).map(|one| &all[one.engine.as_str()]).collect();
    let rounds = ranked.first().map_or_else(Vec::new, |first| first.keys().collect());
    let shared: Vec<&u32> = rounds.into_iter().filter(|round| ranked.iter().all(|of| of.contains_key(round))).collect();
    let speeds: Vec<Vec<f64>> = ranked.iter().map(|of| shared.iter().map(|round| of[round]).collect()).collect();
    let mut ranks = ranks(&speeds).into_iter().flatten();
    for estimate in estimates.iter_mut().filter(|one| is_ranked(one)) {
        estimate.rank = ranks.next().map(|rank| rank.to_string());
    }
}

/// Whether an engine was right each time, in all runs of the race.
fn is_right(samples: &[SpeedSample], engine: &str) -> bool {
    samples.iter().filter(|sample| sample.key.engine == engine).all(|sample| sample.verdict.is_right())
}

fn mean(estimate: &SpeedEstimate) -> f64 {
    estimate.speed.map_or(0.0, |speed| speed.ratio)
}

/// The engine that this one is a second time, if it is.
pub fn twin(engine: &str) -> Option<&str> {
    engine.strip_suffix(')')?.rsplit_once(" (").map(|(name, _)| name)
}

/// An engine against itself: a control of the whole measurement.
pub struct Control {
    /// The engine.
    pub engine: String,
    /// The ratio of its second turns to its first.
    pub ratio: RatioEstimate,
}

/// The controls of one input.
pub fn controls(estimates: &[SpeedEstimate]) -> Vec<Control> {
    let control = |second: &SpeedEstimate| {
        let engine = twin(&second.engine)?;
        let first = estimates.iter().find(|first| first.engine == engine)?;
        let ratio = paired(&second.speeds, &first.speeds)?;
        Some(Control { engine: engine.to_owned(), ratio })
    };
    estimates.iter().filter_map(control).collect()
}

/// What the number of rounds allows to say, if it is not enough for ratios to be published.
pub fn too_few(rounds: usize) -> Option<String> {
    (rounds < MIN_ROUNDS)
        .then(|| format!("{rounds} rounds are a first look: a ratio to be published needs {MIN_ROUNDS}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::scorecard::{CellTimes, CellVerdict, Used};
    use kuu_core::speed::Beside;
    use kuu_core::statistics::RatioVerdict;

    fn sample(engine: &str, round: u32, seconds: f64, verdict: CellVerdict) -> SpeedSample {
        SpeedSample {
            key: SampleKey { phase: SpeedPhase::Cold, frames: 1_000, round, turn: 1, engine: engine.into() },
            started: String::new(),
            verdict,
            times: CellTimes { right_us: Some((seconds * 1e6) as i64), ..CellTimes::default() },
            used: Used::default(),
            beside: Beside::default(),
            answered: 1_000,
            steady: None,
            frontier: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// kuu twice, `go` at half the speed, `bad` wrong once, over four rounds of which the last is not finished.
    fn race() -> Vec<SpeedSample> {
        let mut samples = Vec::new();
        for (round, noise) in (1..).zip([1.0, 1.01, 0.99]) {
            samples.push(sample("kuu", round, noise, CellVerdict::Exact));
            samples.push(sample("kuu (2)", round, 2.0 - noise, CellVerdict::Exact));
            samples.push(sample("go", round, 2.0 * noise, CellVerdict::Exact));
            let verdict = if round == 2 { CellVerdict::Hung { state: String::new() } } else { CellVerdict::Exact };
            samples.push(sample("bad", round, 0.1, verdict));
        }
        samples.push(sample("kuu", 4, 9.0, CellVerdict::Exact));
        samples
    }

    #[test]
    fn ratios_ranks_and_controls() {
        let estimates = of_input(&race(), SpeedPhase::Cold, 1_000, "kuu", &[]);
        let names: Vec<&str> = estimates.iter().map(|estimate| estimate.engine.as_str()).collect();
        assert_eq!(names[2], "go");
        assert_eq!(names.len(), 3, "{names:?}");
        let of = |name: &str| estimates.iter().find(|estimate| estimate.engine == name).unwrap();
        assert_eq!((of("kuu").speeds.len(), of("go").speeds.len()), (4, 3));
        assert!(of("kuu").ratio.is_none());
        let go = of("go").ratio.unwrap();
        assert!((go.ratio - 0.5).abs() < 1e-9 && go.rounds == 3, "{go:?}");
        assert_eq!(of("go").verdict, Some(RatioVerdict::Slower));
        assert_eq!((of("kuu").rank.as_deref(), of("go").rank.as_deref()), (Some("1"), Some("2")));
        assert_eq!(of("kuu (2)").rank, None);
        let controls = controls(&estimates);
        assert_eq!((controls.len(), controls[0].engine.as_str()), (1, "kuu"));
        assert!(controls[0].ratio.interval.contains(1.0));
        assert!(of_input(&race(), SpeedPhase::Steady, 1_000, "kuu", &[]).is_empty());
    }

    #[test]
    fn who_has_a_place() {
        let of = |ranking| {
            let go = RacedEngine { name: "go".into(), version: None, ranking, obstacle: None };
            let estimates = of_input(&race(), SpeedPhase::Cold, 1_000, "kuu", &[go]);
            let go = estimates.into_iter().find(|estimate| estimate.engine == "go").unwrap();
            (go.ratio.is_some(), go.verdict, go.rank)
        };
        assert_eq!(of(Ranking::Ranked), (true, Some(RatioVerdict::Slower), Some("2".into())));
        assert_eq!(of(Ranking::Unranked), (true, Some(RatioVerdict::Slower), None));
        assert_eq!(of(Ranking::Approximate), (true, None, None));
    }

    #[test]
    fn names() {
        assert_eq!([twin("kuu (2)"), twin("kuu"), twin("a)")], [Some("kuu"), None, None]);
        assert_eq!(too_few(10), None);
        assert!(too_few(3).unwrap().starts_with("3 rounds are a first look"));
    }
}
