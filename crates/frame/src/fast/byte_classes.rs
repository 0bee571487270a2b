//! Which bytes belong to a class, for instructions that select one of 16 bytes by the low half of each byte.

/// The separator with each low half, after the bit is set in which `[` and `{`, and `]` and `}`, differ; where there is
/// none, a byte with another low half.
pub(super) const SEPARATORS: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b':', b'{', b',', b'}', 0, 0];

/// The white space with each low half; where there is none, a byte with another low half.
pub(super) const SPACES: [u8; 16] = [b' ', 0, 0, 0, 0, 0, 0, 0, 0, b'\t', b'\n', 0, 0, b'\r', 0, 0];

/// A bit for each high half that occurs among `"` `/` `\` `b` `f` `n` `r` `t`: 2_, 5_, 6_, 7_.
pub(super) const ESCAPE_HIGH: [u8; 16] = [0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];

/// For each low half, the bits of the high halves that complete it to one of these bytes.
pub(super) const ESCAPE_LOW: [u8; 16] = [0, 0, 1 | 4 | 8, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1];

/// A bit for each high half that occurs among C0 C1 E0 ED F0 F4 to FF: C_, E_, F_.
pub(super) const SPECIAL_HIGH: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 4];

/// For each low half, the bits of the high halves that complete it to one of these bytes.
pub(super) const SPECIAL_LOW: [u8; 16] = [1 | 2 | 4, 1, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2 | 4, 4, 4];
