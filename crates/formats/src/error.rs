//! What is wrong with a message.

/// A message that is not what its format asks for, or a library that refuses a frame.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The message ends before its last member.
    #[error("the message ends too early")]
    TooShort,
    /// The message goes on after its last member.
    #[error("{0} bytes follow the message")]
    TooLong(usize),
    /// The member that names the user or the event time is missing, or is of another type.
    #[error("the message has no {0} that can be read")]
    NoMember(&'static str),
    /// A byte that begins nothing that this crate reads.
    #[error("byte {0:#04x} begins no value that is read here")]
    NoValue(u8),
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A part that is JSON breaks a rule of frames.
    #[error("the JSON in the message is malformed: {0}")]
    Malformed(kuu_frame::Malformed),
    /// What the library of the format says.
    #[error("{0}")]
    Library(String),
}

impl FormatError {
    /// What a library says.
    pub(crate) fn of(error: impl std::fmt::Display) -> FormatError {
        FormatError::Library(error.to_string())
    }
}
