//! The samples of a race, in a file that grows with each: a race that was interrupted goes on from there.

use anyhow::{Context as _, Result, bail};
use kuu_core::speed::{RacedEngine, SampleKey, SpeedSample};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The file with what is raced, in the directory of a race.
const PLAN_FILE: &str = "race.json";
/// The file with the samples, a line each.
const SAMPLES_FILE: &str = "samples.jsonl";

/// What is raced: samples of different plans never come together. The number of rounds may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RacePlan {
    /// SHA-256 of the file with the frames, as far as it is read.
    pub input: String,
    /// The engines and their versions, in the order of the command line.
    pub engines: Vec<RacedEngine>,
    /// The options that change a measurement, by name.
    pub options: BTreeMap<String, String>,
}

/// The samples of a race, and where they are stored.
pub struct RaceSamples<S> {
    file: File,
    path: PathBuf,
    taken: Vec<S>,
}

impl<S: Serialize + DeserializeOwned> RaceSamples<S> {
    /// Opens the directory of a race, a new one or one that was interrupted.
    ///
    /// # Errors
    /// If the directory has another race, or its files cannot be read or written.
    pub fn open(directory: &Path, plan: &RacePlan) -> Result<RaceSamples<S>> {
        fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        check_plan(&directory.join(PLAN_FILE), plan)?;
        let path = directory.join(SAMPLES_FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        // A line without its end was being written when the race was killed.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut taken = Vec::new();
        for (number, line) in (1..).zip(text[..whole].lines()) {
            let sample = serde_json::from_str(line)
                .with_context(|| format!("{}, line {number} is no sample of a race: delete it", path.display()))?;
            taken.push(sample);
        }
        let cannot = || format!("{} cannot be written", path.display());
        let file = OpenOptions::new().create(true).append(true).open(&path).with_context(cannot)?;
        file.set_len(whole as u64).with_context(cannot)?;
        Ok(RaceSamples { file, path, taken })
    }

    /// Adds a sample, and stores it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, sample: S) -> Result<()> {
        let mut line = serde_json::to_vec(&sample)?;
        line.push(b'\n');
        self.file.write_all(&line).with_context(|| format!("{} cannot be written", self.path.display()))?;
        self.taken.push(sample);
        Ok(())
    }

    /// All samples, in the order in which they were taken.
    pub fn all(&self) -> &[S] {
        &self.taken
    }

    /// All samples, in the order in which they were taken.
    pub fn into_all(self) -> Vec<S> {
        self.taken
    }
}

impl RaceSamples<SpeedSample> {
    /// Whether there is a sample of this key.
    pub fn has(&self, key: &SampleKey) -> bool {
        self.taken.iter().any(|sample| sample.key == *key)
    }

    /// The first sample in which this engine was not right.
    pub fn wrong(&self, engine: &str) -> Option<&SpeedSample> {
        self.taken.iter().find(|sample| sample.key.engine == engine && !sample.verdict.is_right())
    }
}

/// Writes what is raced, or checks that it is the same as before.
fn check_plan(path: &Path, plan: &RacePlan) -> Result<()> {
    match fs::read_to_string(path) {
        Ok(text) => match serde_json::from_str::<RacePlan>(&text) {
            Ok(earlier) if earlier == *plan => Ok(()),
            Ok(_) => bail!(
                "{} is of another race, with another file, other engines or options: --into another directory",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("{} is not that of a race", path.display())),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = serde_json::to_vec_pretty(plan)?;
            fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::scorecard::{CellTimes, CellVerdict, Used};
    use kuu_core::speed::{Beside, Ranking, SpeedPhase};

    fn key(engine: &str, round: u32) -> SampleKey {
        SampleKey { phase: SpeedPhase::Cold, frames: 10, round, turn: 1, engine: engine.into() }
    }

    fn sample(engine: &str, round: u32, verdict: CellVerdict) -> SpeedSample {
        SpeedSample {
            key: key(engine, round),
            started: String::new(),
            verdict,
            times: CellTimes::default(),
            used: Used::default(),
            beside: Beside::default(),
            answered: 10,
            steady: None,
            frontier: Vec::new(),
            remarks: Vec::new(),
        }
    }

    fn plan(engine: &str) -> RacePlan {
        let engine =
            RacedEngine { name: engine.into(), version: Some("1".into()), ranking: Ranking::Ranked, obstacle: None };
        RacePlan { input: "1c2d".into(), engines: vec![engine], options: [("window".into(), "minute".into())].into() }
    }

    #[test]
    fn a_race_goes_on_from_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("race");
        let mut samples = RaceSamples::open(&directory, &plan("a")).unwrap();
        samples.add(sample("a", 1, CellVerdict::Exact)).unwrap();
        samples.add(sample("b", 1, CellVerdict::Hung { state: "x".into() })).unwrap();
        let path = directory.join(SAMPLES_FILE);
        // Killed while it wrote the third.
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[..20])).unwrap();
        let mut samples = RaceSamples::open(&directory, &plan("a")).unwrap();
        assert_eq!(samples.all().len(), 2);
        assert!(samples.has(&key("a", 1)) && !samples.has(&key("a", 2)));
        assert_eq!((samples.wrong("a"), samples.wrong("b").map(|sample| sample.key.round)), (None, Some(1)));
        samples.add(sample("a", 2, CellVerdict::Exact)).unwrap();
        assert_eq!(RaceSamples::<SpeedSample>::open(&directory, &plan("a")).unwrap().all().len(), 3);
    }

    #[test]
    fn other_races_and_damaged_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        RaceSamples::<SpeedSample>::open(dir.path(), &plan("a")).unwrap();
        let error =
            |plan: &RacePlan| format!("{:#}", RaceSamples::<SpeedSample>::open(dir.path(), plan).err().unwrap());
        let other = error(&plan("b"));
        assert!(other.contains("race.json is of another race") && other.contains("--into"), "{other}");
        fs::write(dir.path().join(SAMPLES_FILE), "{\"key\":1}\n").unwrap();
        let damaged = error(&plan("a"));
        assert!(damaged.contains("samples.jsonl, line 1 is no sample of a race: delete it"), "{damaged}");
    }
}
