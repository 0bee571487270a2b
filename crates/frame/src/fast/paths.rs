//! Names at any level: the members that two JSON Pointers name.

use crate::fast::block::{LEN, bits};
use crate::fast::names::{Members, Named, Names, add, follows};
use crate::format::{FrameFormat, Pointer};
use crate::rules::Member;

/// The deepest level at which the scanner looks for names; [`super::find`] looks for deeper ones afterwards.
pub(super) const LEVELS: usize = 4;

/// The lengths of names that the scanner tells apart.
const LENGTHS: usize = 4;

/// What the scanner needs to know of two pointers.
#[derive(Debug)]
pub(super) struct Paths {
    uid: Vec<Name>,
    ts: Vec<Name>,
    /// The distances between the quotes of the names, and the first bytes of a block, where no distance is known. If
    /// all bits of it are set, no string is excluded.
    distances: [u32; LENGTHS],
    unknown: u64,
    /// The ASCII characters of all names, and whether they have others.
    letters: u128,
    beyond_ascii: bool,
}

impl Paths {
    /// The paths of a format, and the levels on which they are; `None` if the scanner cannot look for them: they are too
    /// deep, or a name can be written with a short escape.
    pub(super) fn new(format: &FrameFormat) -> Option<Paths> {
        let FrameFormat { uid, ts, .. } = format;
        let names = || uid.names().iter().chain(ts.names());
        let escapable = |name: &String| name.contains(|c: char| c < ' ' || "\"\\/".contains(c));
        if uid.names().len().max(ts.names().len()) > LEVELS || names().any(escapable) {
            return None;
        }
        let mut lengths: Vec<u32> = names().map(|name| name.len() as u32 + 1).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let longest = lengths.last().copied().unwrap_or_default();
        let told_apart = lengths.len() <= LENGTHS && longest < LEN as u32;
        lengths.resize(LENGTHS, longest);
        Some(Paths {
            distances: if told_apart { std::array::from_fn(|i| lengths[i]) } else { [1; LENGTHS] },
            unknown: if told_apart { (1 << longest) - 1 } else { !0 },
            letters: names().flat_map(|name| name.bytes()).filter(u8::is_ascii).fold(0, |all, byte| all | 1 << byte),
            beyond_ascii: names().any(|name| !name.is_ascii()),
            uid: path(uid),
            ts: path(ts),
        })
    }

    /// The number of levels with names.
    pub(super) fn levels(&self) -> usize {
        self.uid.len().max(self.ts.len())
    }
}

fn path(pointer: &Pointer) -> Vec<Name> {
    pointer.names().iter().map(|name| Name::new(name)).collect()
}

/// One name on a path.
#[derive(Debug)]
struct Name {
    bytes: Vec<u8>,
    /// The last bytes of the name with its quotes, eight at most, as they stand before a colon.
    tail: u64,
    mask: u64,
}

impl Name {
    fn new(name: &str) -> Name {
        let quoted = format!("\"{name}\"").into_bytes();
        let len = quoted.len().min(8);
        let mut tail = [0; 8];
        tail[8 - len..].copy_from_slice(&quoted[quoted.len() - len..]);
        let (tail, mask) = (u64::from_le_bytes(tail), !0 << (8 * (8 - len)));
        Name { bytes: name.as_bytes().to_vec(), tail, mask }
    }

    /// Whether the name that ends before a colon may be this one.
    #[inline(always)]
    fn may_end_before(&self, value: &[u8], colon: usize) -> bool {
        let Some(before) = value[..colon].last_chunk() else {
            return true;
        };
        let before = u64::from_le_bytes(*before);
        (before >> 56 != u64::from(b'"')) | (before & self.mask == self.tail)
    }
}

/// What was found of one path.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    /// Bit `i` is set while the scanner is in the member of level `i`, and the way to it is right.
    inside: u32,
    /// Bit `i` is set once a member of level `i` was found.
    found: u32,
    member: Member<usize>,
}

impl<const N: usize> Names<N> for &Paths {
    type Found = [Progress; 2];

    #[inline(always)]
    fn nothing(self) -> [Progress; 2] {
        [Progress { inside: 0, found: 0, member: Member::Missing }; 2]
    }

    #[inline(always)]
    fn other_end(self, quote: u64, in_string: u64, _: u64) -> u64 {
        let like = self.distances.iter().fold(self.unknown, |like, distance| like | quote << (distance % LEN as u32));
        quote & !in_string & !like
    }

    #[inline]
    fn has_letter(self, unit: u16) -> bool {
        match u8::try_from(unit) {
            Ok(letter) if letter.is_ascii() => self.letters >> letter & 1 != 0,
            _ => self.beyond_ascii,
        }
    }

    #[inline(always)]
    fn look(self, found: &mut [Progress; 2], value: &[u8], batch: &Named<'_, N>) {
        let [uid, ts] = found;
        follow(&self.uid, uid, value, batch);
        follow(&self.ts, ts, value, batch);
    }

    #[inline(always)]
    fn members([uid, ts]: [Progress; 2]) -> Members {
        Members { uid: uid.member, ts: ts.member }
    }
}

/// Follows one path through a batch, from level to level.
#[inline(always)]
fn follow<const N: usize>(names: &[Name], progress: &mut Progress, value: &[u8], batch: &Named<'_, N>) {
    let mut inside = 0;
    // The separators inside the members that are on the way, so far.
    let mut within = !0;
    for (level, name) in names.iter().enumerate().take(N) {
        let mut open = if progress.inside >> level & 1 != 0 { up_to_comma(batch, level, !0) } else { 0 };
        for index in bits(batch.name & batch.marked & batch.levels[level] & within) {
            let colon = batch.colon(index);
            if !name.may_end_before(value, colon) || !follows(value, colon, &name.bytes) {
                continue;
            }
            if level + 1 == names.len() {
                add(&mut progress.member, colon);
            } else if progress.found >> level & 1 != 0 {
                progress.member = Member::Repeated;
            } else {
                progress.found |= 1 << level;
                open |= up_to_comma(batch, level, !0 << index);
            }
        }
        // Inside at the end of the batch means inside at the start of the next one.
        within &= open;
        inside |= ((within >> 63) as u32) << level;
        if within == 0 {
            break;
        }
    }
    progress.inside = inside;
}

/// The bits of `from` on, before the first comma of this level among them.
#[inline]
fn up_to_comma<const N: usize>(batch: &Named<'_, N>, level: usize, from: u64) -> u64 {
    let comma = batch.comma & batch.levels[level] & from;
    from & (comma & comma.wrapping_neg()).wrapping_sub(1)
}
