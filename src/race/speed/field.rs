//! The engines of a race, in the order of the command line, and in the order in which they take their turns.

use crate::race::entrant::Entrant;
use kuu_core::scorecard::CellVerdict;
use kuu_core::speed::RacedEngine;
use kuu_core::statistics::order;

/// An engine of a race. One that takes part twice is two of these.
pub struct Starter<'a> {
    /// Its name in the tables: of one that takes part again with ` (2)` behind it.
    pub name: String,
    /// The engine.
    pub engine: &'a Entrant,
    /// Why it does not run, if it does not.
    pub obstacle: Option<String>,
}

/// All of them.
pub struct Field<'a>(pub Vec<Starter<'a>>);

impl<'a> Field<'a> {
    /// These engines, in this order.
    pub fn new(engines: &'a [Entrant]) -> Field<'a> {
        let starter = |(at, engine): (usize, &'a Entrant)| {
            let before = engines[..at].iter().filter(|other| other.name() == engine.name()).count();
            let name = match before {
                0 => engine.name().to_owned(),
                n => format!("{} ({})", engine.name(), n + 1),
            };
            Starter { name, engine, obstacle: engine.obstacle(false) }
        };
        Field(engines.iter().enumerate().map(starter).collect())
    }

    /// The engine to which all others are compared: kuu, or else the first one that runs.
    pub fn reference(&self) -> Option<&str> {
        let mut running = self.0.iter().filter(|starter| starter.obstacle.is_none());
        let first = running.clone().next();
        running.find(|starter| starter.name == "kuu").or(first).map(|starter| starter.name.as_str())
    }

    /// The engines of a round, from 1, with the turn of each, from 1.
    pub fn turns(&self, round: u32) -> impl Iterator<Item = (u32, &Starter<'a>)> {
        let order = order(self.0.len(), round.saturating_sub(1) as usize);
        (1..).zip(order).map(|(turn, at)| (turn, &self.0[at]))
    }

    /// A line for each engine that does not run.
    pub fn absent(&self) -> Vec<String> {
        let line = |starter: &Starter<'_>| {
            let why = starter.obstacle.clone()?;
            Some(format!("{}: {}", starter.name, CellVerdict::NotRun { why }))
        };
        self.0.iter().filter_map(line).collect()
    }

    /// The engines, as recorded.
    pub fn record(&self) -> Vec<RacedEngine> {
        let record = |starter: &Starter<'_>| RacedEngine {
            name: starter.name.clone(),
            version: starter.engine.version(),
            ranking: starter.engine.descriptor().ranking(),
            obstacle: starter.obstacle.clone(),
        };
        self.0.iter().map(record).collect()
    }
}
