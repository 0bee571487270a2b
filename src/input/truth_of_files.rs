//! Computes the truth about files.

use crate::input::blocks::Finished;
use crate::input::error::InputError;
use crate::input::names::distinct;
use crate::input::parts::{Part, between};
use kuu_core::record::Source;
use kuu_core::truth::{self, Extent, Truth};
use kuu_frame::{Parser, ParserOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Counts the files `names`, each to its extent; returns the truth, the sources that were read, and the error
/// that ended reading early, if any: the truth then covers all lines before that place. `empty` is the count before the
/// first line.
///
/// Reads as many files at a time as there are threads; if there are fewer files, gzip files are split into parts.
pub fn count<'a>(
    names: impl IntoIterator<Item = (&'a str, impl Into<Extent>)>,
    parser: &ParserOptions,
    empty: &Truth,
) -> (Truth, Vec<Source>, Option<InputError>) {
    let names: Vec<(&str, Extent)> = names.into_iter().map(|(name, extent)| (name, extent.into())).collect();
    let threads = rayon::current_num_threads();
    let mut truth = empty.clone();
    let mut sources = Vec::new();
    if let Err(error) = distinct(names.iter().map(|(name, _)| *name)) {
        return (truth, sources, Some(error));
    }
    for names in names.chunks(threads) {
        let mut files = Vec::new();
        let mut unopened = None;
        for (name, extent) in names {
            // A file with a limit must be read in order.
            let parts = if extent.limit.is_some() { 1 } else { threads / names.len() };
            match Part::open(name, parts) {
                Ok(parts) => files.push(File { name, extent: *extent, parts }),
                Err(error) => {
                    unopened = Some(error);
                    break;
                }
            }
        }
        let parts = files.iter_mut().flat_map(|file| file.parts.iter_mut().map(|part| (part, file.extent)));
        let Ok(counted) = catch_unwind(AssertUnwindSafe(|| truth::count_each(parts, parser, empty))) else {
            return (truth, sources, Some(InputError::Lost { thread: "truth" }));
        };
        let mut counted = counted.into_iter();
        for file in files {
            let counted = counted.by_ref().take(file.parts.len()).collect();
            let (part, source, error) = file.join(counted, parser, empty);
            truth = truth.merge(part);
            sources.push(source);
            if error.is_some() {
                return (truth, sources, error);
            }
        }
        if unopened.is_some() {
            return (truth, sources, unopened);
        }
    }
    (truth, sources, None)
}

struct File<'a> {
    name: &'a str,
    extent: Extent,
    parts: Vec<Part>,
}

impl File<'_> {
    /// Combines the counts of all parts of this file.
    fn join(
        mut self,
        counted: Vec<(Truth, Option<InputError>)>,
        parser: &ParserOptions,
        empty: &Truth,
    ) -> (Truth, Source, Option<InputError>) {
        let all_read = counted.iter().all(|(_, error)| error.is_none());
        let between = if all_read { between(&self.parts) } else { None };
        let mut counted = counted.into_iter();
        let (mut truth, mut error) = counted.next().unwrap_or_else(|| (empty.clone(), None));
        let mut first = self.parts.swap_remove(0);
        if let Some(between) = between {
            truth = counted.map(|(part, _)| part).fold(truth, Truth::merge);
            truth.add_block(&mut Parser::new(parser), &between);
        } else if error.is_none() && !self.parts.is_empty() {
            let rest;
            (rest, error) = truth::count(first.read_on(), parser, empty, Extent { limit: None, ..self.extent });
            truth = truth.merge(rest);
        }
        let Finished { digest, error } = first.into_input().finish(error);
        let repeats = self.extent.repeats;
        let source = Source {
            name: self.name.to_owned(),
            bytes: digest.bytes,
            sha256: digest.sha256,
            frames: truth.ledger().read / repeats.count.max(1),
            frame_bytes: truth.frame_bytes(),
            repeats: (!repeats.is_once()).then_some(repeats),
        };
        (truth, source, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use std::path::Path;

    fn gzip(data: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn frames() -> Vec<u8> {
        let frame = |i: u32| format!("{{\"uid\":\"user-{}\",\"ts\":{}}}\r\n\n", i % 7, 3 * i);
        (0..60).map(frame).chain(["{\"uid\":\"the last\",\"ts\":0}".to_owned()]).collect::<String>().into_bytes()
    }

    /// The whole result for files, with a given number of threads.
    fn count_by(threads: usize, files: &[&Path], limit: Option<u64>) -> impl PartialEq + std::fmt::Debug + use<> {
        let names: Vec<_> = files.iter().map(|path| (path.to_str().unwrap(), limit)).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (truth, sources, error) = pool.install(|| count(names, &ParserOptions::default(), &Truth::default()));
        let error = error.map(|error| error.to_string());
        (truth.windows(), truth.ledger().clone(), sources, error)
    }

    #[track_caller]
    fn threads_do_not_matter(files: &[&Path], limit: Option<u64>) {
        let expected = count_by(1, files, limit);
        for threads in 2..5 {
            assert_eq!(count_by(threads, files, limit), expected, "{threads} threads");
        }
    }

    #[test]
    fn members_are_read_at_the_same_time_with_the_same_result() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.gz");
        let frames = frames();
        for len in [1, 30, 37, 300, 1_000, 5_000] {
            for level in [0, 6] {
                let members: Vec<u8> = frames.chunks(len).flat_map(|part| gzip(part, level)).collect();
                std::fs::write(&path, &members).unwrap();
                let parts = Part::open(path.to_str().unwrap(), 3).unwrap().len();
                assert!(parts == 3 || len > 300, "{parts} parts, members of {len} bytes");
                threads_do_not_matter(&[&path], None);
                threads_do_not_matter(&[&path], Some(20));
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_member_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.gz");
        let frames = frames();
        let inner = gzip(&frames[..500], 6);
        // Stored without compression: the outer file contains the bytes of the inner files, which look like members.
        let lines: Vec<u8> = [&frames[..], b"\n", &inner, &inner, &inner, b"\n", &frames].concat();
        for members in [gzip(&lines, 0), [gzip(&lines, 0), gzip(&frames, 6)].concat()] {
            std::fs::write(&path, members).unwrap();
            threads_do_not_matter(&[&path], None);
        }
    }

    #[test]
    fn damage_is_told_as_by_one_thread() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.gz");
        let members: Vec<u8> = frames().chunks(700).flat_map(|part| gzip(part, 6)).chain([0, 0]).collect();
        for at in (0..members.len()).step_by(5) {
            std::fs::write(&path, &members[..at]).unwrap();
            threads_do_not_matter(&[&path], None);
            let mut damaged = members.clone();
            damaged[at] ^= 1 << (at % 8);
            std::fs::write(&path, &damaged).unwrap();
            threads_do_not_matter(&[&path], None);
        }
    }

    #[test]
    fn files_are_read_at_the_same_time_with_the_same_result() {
        let dir = tempfile::tempdir().unwrap();
        let [good, plain, bad, missing] = ["a.gz", "b.jsonl", "c.gz", "d"].map(|name| dir.path().join(name));
        let frames = frames();
        std::fs::write(&good, frames.chunks(500).flat_map(|part| gzip(part, 6)).collect::<Vec<u8>>()).unwrap();
        std::fs::write(&plain, &frames).unwrap();
        std::fs::write(&bad, &gzip(&frames, 6)[..200]).unwrap();
        threads_do_not_matter(&[&good, &plain, &good, &good], None);
        threads_do_not_matter(&[&good, &plain, &plain], Some(7));
        threads_do_not_matter(&[&plain, &bad, &good], None);
        threads_do_not_matter(&[&good, &missing, &bad], None);
        threads_do_not_matter(&[], None);
    }
}
