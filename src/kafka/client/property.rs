//! A property of librdkafka, as the user wrote it.

/// A property, and where the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
    /// `-X`, or the name of the file.
    pub from: String,
    /// The line in the file.
    pub line: Option<usize>,
}

impl Property {
    /// Where it is: `client.properties, line 3`, or `-X`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}", self.from),
            None => self.from.clone(),
        }
    }

    /// Another property, written in the same place.
    #[must_use]
    pub fn as_another(&self, key: &str, value: String) -> Property {
        Property { key: key.into(), value, ..self.clone() }
    }
}
