//! A thread that answers one request at a time, for work in which librdkafka may wait without limit.

use crate::system::fault::{died, planted};
use anyhow::{Context as _, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Sends one request at a time to a thread, and receives its answer.
pub struct Errand<Q, A> {
    name: &'static str,
    questions: Sender<Q>,
    answers: Receiver<A>,
    under_way: bool,
}

impl<Q: Send + 'static, A: Send + 'static> Errand<Q, A> {
    /// Starts the thread, which ends after this value is dropped. The thread is not joined: it may wait for a broker
    /// that never answers.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn new(name: &'static str, mut work: impl FnMut(Q) -> A + Send + 'static) -> Result<Errand<Q, A>> {
        let (questions, asked) = channel();
        let (told, answers) = channel();
        let run = move || {
            for question in asked {
                planted(name);
                if told.send(work(question)).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name(name.into()).spawn(run).context("a thread cannot be started")?;
        Ok(Errand { name, questions, answers, under_way: false })
    }

    /// Whether a request is running.
    pub fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Sends a request; the previous one must be answered.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn ask(&mut self, question: Q) -> Result<()> {
        self.questions.send(question).map_err(|_| died(self.name))?;
        self.under_way = true;
        Ok(())
    }

    /// The answer, if a request is running and the answer comes within this time.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn answer(&mut self, wait: Duration) -> Result<Option<A>> {
        if !self.under_way {
            return Ok(None);
        }
        match self.answers.recv_timeout(wait) {
            Ok(answer) => {
                self.under_way = false;
                Ok(Some(answer))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(died(self.name)),
        }
    }
}
