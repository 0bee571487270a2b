//! Sketches of users: HyperLogLog of Apache DataSketches.
//!
//! The estimate depends on the users only: not on their order, on how often each came, or on which sketches were merged.
//! So it is the same after a crash, and that of `kuu batch`, whatever its threads.

use crate::distinct::Precision;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use datasketches::error::Error;
use datasketches::hash::value::raw_bytes;
use datasketches::hll::{Coupon, HllSketch, HllType, HllUnion};
use std::fmt;

/// The hash of a user id: MurmurHash3 x64 128 with seed 9001 over its bytes in UTF-8, as Apache DataSketches hashes a
/// text. A number that is a user id is the text that a frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserHash(Coupon);

impl UserHash {
    /// The hash of this id.
    #[inline]
    pub fn of(uid: &str) -> UserHash {
        UserHash(Coupon::from_value(raw_bytes::from_str(uid)))
    }
}

/// A set of users of which only the number can be told, nearly.
///
/// Up to an eighth of its registers it is a list of hashes, and nearly exact; then an array of registers (`HLL_8`).
#[derive(Clone)]
pub struct Sketch(HllSketch);

impl Sketch {
    /// No users.
    pub fn new(precision: Precision) -> Sketch {
        Sketch(HllSketch::new(precision.get(), HllType::Hll8).expect("a precision is within the bounds"))
    }

    /// Adds a user, new or known.
    #[inline]
    pub fn add(&mut self, user: UserHash) {
        self.0.update_with_coupon(user.0);
    }

    /// The users, nearly.
    pub fn users(&self) -> u64 {
        self.0.composite_estimate().round() as u64
    }

    /// Adds the users of another sketch. Of two precisions, the lower one is that of both.
    pub fn merge(&mut self, other: &Sketch) {
        let mut union = HllUnion::new(self.0.lg_config_k()).expect("a sketch has a precision within the bounds");
        union.update(&self.0);
        union.update(&other.0);
        self.0 = union.to_sketch(HllType::Hll8);
    }

    /// The sketch in the format of Apache DataSketches.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize()
    }

    /// The same, as base64.
    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(self.to_bytes())
    }

    /// Reads a sketch of this precision.
    ///
    /// # Errors
    /// If the bytes are none.
    pub fn from_bytes(bytes: &[u8], precision: Precision) -> Result<Sketch, NoSketch> {
        let sketch = HllSketch::deserialize(bytes).map_err(NoSketch::Damaged)?;
        let is = (sketch.lg_config_k(), sketch.target_type());
        if is == (precision.get(), HllType::Hll8) { Ok(Sketch(sketch)) } else { Err(NoSketch::Other(is.0, is.1)) }
    }

    /// The bytes of memory that it takes, besides its own.
    pub fn heap_bytes(&self) -> usize {
        self.0.estimated_size()
    }
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sketch(hll:{}, {} users)", self.0.lg_config_k(), self.users())
    }
}

/// Why bytes are not the expected sketch.
#[derive(Debug, thiserror::Error)]
pub enum NoSketch {
    /// They are no sketch.
    #[error("{0}")]
    Damaged(Error),
    /// They are a sketch of this other precision, or type.
    #[error("it is a sketch of precision {0} and type {1:?}")]
    Other(u8, HllType),
}

#[cfg(test)]
mod tests;
