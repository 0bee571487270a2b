//! The fast parser: it validates the whole value as simdjson does, without building a document.
//!
//! `scan` reads the value in blocks of 64 bytes, with one bit for each byte: it finds strings, numbers and the
//! separators around them, and checks the inside of each. `grammar` processes 64 separators at a time, again with one
//! bit for each, and checks which may follow which. `names` notes where the two members are, `paths` where they are not
//! `uid` and `ts` in the root, and `find` where that takes a second look. `text` reads those members. `avx512`, `avx2` and `portable` turn 64 bytes into bits; they share all other code.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
#[cfg(target_arch = "x86_64")]
mod byte_classes;
mod chunk;
pub(crate) mod find;
mod grammar;
mod names;
mod paths;
mod portable;
mod scalar;
mod scan;
pub(crate) mod text;
mod utf8;

use crate::format::FrameFormat;
use crate::rules::{Malformed, Member, Root};
use grammar::{Scratch, Shape};
use names::{Members, Names, Usual};
use paths::{LEVELS, Paths};
use portable::Portable;
use utf8::Validity;

/// The fast parser. It gives the verdict of [`crate::plain::PlainParser`] on every input.
pub struct FastParser {
    engine: Engine,
    format: FrameFormat,
    search: Search,
    scratch: Scratch,
    /// The last text that was unescaped; after parsing, this is the `uid`, if it has escapes.
    unescaped: String,
}

/// How the members are found.
#[derive(Debug)]
enum Search {
    /// They are `uid` and `ts` in the root.
    Usual,
    /// They are in the root or not far below it.
    Paths(Box<Paths>),
    /// By a second look at each value.
    Second,
}

impl Search {
    fn new(format: &FrameFormat) -> Search {
        let usual = FrameFormat::default();
        if (&format.uid, &format.ts) == (&usual.uid, &usual.ts) {
            return Search::Usual;
        }
        Paths::new(format).map_or(Search::Second, |paths| Search::Paths(Box::new(paths)))
    }
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
    fn scan<N: Names<L>, const L: usize>(self, names: N, value: &[u8], scratch: &mut Scratch) -> Option<Shape> {
        match self {
            Engine::Portable => scan::scan(Portable, names, value, scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2(avx2) => avx2.scan(names, value, scratch),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx512(avx512) => avx512.scan(names, value, scratch),
        }
    }
}

impl Default for FastParser {
    fn default() -> FastParser {
        FastParser::new(&FrameFormat::default())
    }
}

impl FastParser {
    /// A parser with empty scratch memory, with the best instructions of this processor.
    pub fn new(format: &FrameFormat) -> FastParser {
        FastParser::with(Engine::all().next().unwrap_or(Engine::Portable), format)
    }

    /// A parser for each set of instructions that this processor has, the widest first; the last one uses only the
    /// target's baseline.
    pub fn all(format: &FrameFormat) -> Vec<FastParser> {
        Engine::all().map(|engine| FastParser::with(engine, format)).collect()
    }

    fn with(engine: Engine, format: &FrameFormat) -> FastParser {
        let (search, format) = (Search::new(format), format.clone());
        FastParser { engine, format, search, scratch: Scratch::default(), unescaped: String::new() }
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
        let FastParser { engine, format, search, scratch, unescaped } = self;
        let outcome = match search {
            Search::Usual => engine.scan(Usual, value, scratch),
            Search::Paths(paths) => match paths.levels() {
                1 => engine.scan::<_, 1>(&**paths, value, scratch),
                2 => engine.scan::<_, 2>(&**paths, value, scratch),
                3 => engine.scan::<_, 3>(&**paths, value, scratch),
                _ => engine.scan::<_, LEVELS>(&**paths, value, scratch),
            },
            Search::Second => engine.scan(Usual, value, scratch),
        };
        let Some(outcome) = outcome else {
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
        let again = outcome.escaped_letter || matches!(search, Search::Second);
        let Members { uid, ts } = if again { find::members(value, format, unescaped) } else { outcome.members };
        let ts = read(ts, |name_end| text::ts(value, name_end, format.ts_format, unescaped));
        let uid = read(uid, |name_end| text::uid(value, name_end, format.uid_type, unescaped));
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
        let mut parsers = FastParser::all(&FrameFormat::default());
        assert_eq!(FastParser::default().engine(), parsers[0].engine());
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
