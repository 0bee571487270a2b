//! What a record says, in a sentence each.

/// Whether a statement is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    /// Neither.
    Open,
}

/// A sentence, with the word that it begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub tone: Tone,
    pub word: &'static str,
    pub words: String,
    /// What belongs to it, a sentence each.
    pub details: Vec<String>,
}

impl Statement {
    pub fn new(tone: Tone, word: &'static str, words: impl Into<String>) -> Statement {
        Statement { tone, word, words: words.into(), details: Vec::new() }
    }

    pub fn with(self, details: impl IntoIterator<Item = String>) -> Statement {
        Statement { details: details.into_iter().collect(), ..self }
    }

    pub fn class(&self) -> &'static str {
        match self.tone {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Open => "open",
        }
    }
}
