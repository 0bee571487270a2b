//! The fast parser: it validates the whole value as simdjson does, without building a document.
//!
//! `scan` reads the value in blocks of 64 bytes, with one bit for each byte: it finds strings, numbers and the
//! separators around them, and checks the inside of each. `grammar` processes 64 separators at a time, again with one
//! bit for each, checks which may follow which, and records where the root members are. `text` reads those members.
//! `avx512`, `avx2` and `portable` turn 64 bytes into bits; they share all other code.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
#[cfg(target_arch = "x86_64")]
mod byte_classes;
mod chunk;
mod grammar;
mod portable;
mod scalar;
mod scan;
mod text;
mod utf8;

use crate::rules::{Malformed, Member, Root};
use grammar::{Scratch, Shape};
use portable::Portable;
use utf8::Validity;

/// The fast parser. It gives the verdict of [`crate::plain::PlainParser`] on every input.
pub struct FastParser {
    engine: Engine,
    scratch: Scratch,
    /// The last text that was unescaped; after parsing, this is the `uid`, if it has escapes.
    unescaped: String,
}

/// The classifier in use.
#[derive(Clone, Copy)]
enum Engine {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

impl Engine {
    /// All engines that this processor can run, the widest first.
    fn all() -> impl Iterator<Item = Engine> {
        #[cfg(target_arch = "x86_64")]
        let vectors = [avx512::Avx512::detect().map(Engine::Avx512), avx2::Avx2::detect().map(Engine::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let vectors: [Option<Engine>; 0] = [];
        vectors.into_iter().flatten().chain([Engine::Portable])
    }

    #[inline]
    fn scan(self, value: &[u8], scratch: &mut Scratch) -> Option<Shape> {
        match self {
            Engine::Portable => scan::scan(Portable, value, scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2(avx2) => avx2.scan(value, scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx512(avx512) => avx512.scan(value, scratch),
        }
    }
}

impl Default for FastParser {
    fn default() -> FastParser {
        FastParser::new()
    }
}

impl FastParser {
    /// A parser with empty scratch memory, with the best instructions of this processor.
    pub fn new() -> FastParser {
        FastParser::with(Engine::all().next().unwrap_or(Engine::Portable))
    }

    /// A parser for each set of instructions that this processor has, the widest first; the last one uses only the
    /// target's baseline.
    pub fn all() -> Vec<FastParser> {
        Engine::all().map(FastParser::with).collect()
    }

    fn with(engine: Engine) -> FastParser {
        FastParser { engine, scratch: Scratch::default(), unescaped: String::new() }
    }

    /// The name of the instructions in use: `avx512`, `avx2` or `portable`.
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Engine::Avx512(_) => "avx512",
        }
    }

    /// See [`crate::Parser::root`].
    ///
    /// # Errors
    /// [`Malformed::NotUtf8`], [`Malformed::NotJson`] or [`Malformed::NotObject`].
    #[inline]
    pub fn root<'a>(&'a mut self, value: &'a [u8]) -> Result<Root<'a>, Malformed> {
        let start = value.iter().position(|byte| !scalar::is_space(*byte)).unwrap_or(value.len());
        let value = &value[start..];
        let is_object = match value.first() {
            Some(b'{') => true,
            Some(b'[') => false,
            _ => return Err(without_brackets(value)),
        };
        let Some(outcome) = self.engine.scan(value, &mut self.scratch) else {
            return Err(utf8_first(value, Malformed::NotJson));
        };
        let utf8 = match outcome.utf8 {
            Validity::Good => true,
            Validity::Bad => false,
            Validity::Unknown => simdutf8::basic::from_utf8(value).is_ok(),
        };
        if !utf8 {
            return Err(Malformed::NotUtf8);
        }
        if !is_object {
            return Err(Malformed::NotObject);
        }
        let (uid, ts) =
            if outcome.escaped_letter { text::members(value, &mut self.unescaped) } else { (outcome.uid, outcome.ts) };
        let ts = read(ts, |name_end| text::ts(value, name_end, &mut self.unescaped));
        let uid = read(uid, |name_end| text::uid(value, name_end, &mut self.unescaped));
        Ok(Root { uid, ts })
    }
}

/// The member whose name ends before a position; `value` reads it.
#[inline]
fn read<T>(member: Member<usize>, value: impl FnOnce(usize) -> Option<T>) -> Member<T> {
    match member {
        Member::Good(name_end) => value(name_end).map_or(Member::Bad, Member::Good),
        Member::Missing => Member::Missing,
        Member::Repeated => Member::Repeated,
        Member::Bad => Member::Bad,
    }
}

/// Why a value that starts with neither `{` nor `[` is malformed.
#[cold]
fn without_brackets(value: &[u8]) -> Malformed {
    let json = scalar::is_whole(value);
    utf8_first(value, if json { Malformed::NotObject } else { Malformed::NotJson })
}

/// `reason`, or [`Malformed::NotUtf8`] if the value is not UTF-8: that rule comes first.
#[cold]
fn utf8_first(value: &[u8], reason: Malformed) -> Malformed {
    match simdutf8::basic::from_utf8(value) {
        Ok(_) => reason,
        Err(_) => Malformed::NotUtf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_reads_a_frame() {
        let mut parsers = FastParser::all();
        assert_eq!(FastParser::new().engine(), parsers[0].engine());
        assert_eq!(parsers.last().map(FastParser::engine), Some("portable"));
        for parser in &mut parsers {
            let engine = parser.engine();
            let root = parser.root(b" {\"uid\":\"\\u0061\",\"ts\":\"\\u0035\"}\n");
            assert_eq!(root, Ok(Root { uid: Member::Good("a"), ts: Member::Good(5) }), "{engine}");
            assert_eq!(parser.root(b"[\xFF]"), Err(Malformed::NotUtf8), "{engine}");
            assert_eq!(parser.root(b"[\xFF"), Err(Malformed::NotUtf8), "{engine}");
            assert_eq!(parser.root(b"\xFF"), Err(Malformed::NotUtf8), "{engine}");
            assert_eq!(parser.root(b"[]"), Err(Malformed::NotObject), "{engine}");
            assert_eq!(parser.root(b"1"), Err(Malformed::NotObject), "{engine}");
            assert_eq!(parser.root(b""), Err(Malformed::NotJson), "{engine}");
        }
    }
}
