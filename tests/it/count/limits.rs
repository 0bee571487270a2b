//! The largest length of a uid: the same for every parser and every way of counting.

use crate::support::broker::{Mock, read, rows, values};
use crate::support::frames::{MINUTE, frame, lines, windows};
use crate::support::kuu::{Kuu, each};
use crate::support::wire::settle;
use kuu_frame::{FrameFormat, MAX_UID, Malformed, Member, fast, plain};
use proptest::prelude::*;

const MOST: usize = 65_536;

/// A uid of `bytes` bytes after unescaping, which begins with `pieces`; and its unescaped length.
fn uid(pieces: &[(String, usize)], bytes: usize) -> (String, usize) {
    let (mut text, mut len) = (String::new(), 0);
    for (piece, adds) in pieces.iter().filter(|(_, adds)| *adds <= bytes) {
        if len + adds > bytes {
            break;
        }
        text += piece;
        len += adds;
    }
    text += &"x".repeat(bytes - len);
    (text, bytes)
}

fn agree(value: &[u8], is_good: bool) {
    let mut plain = plain::PlainParser::default();
    let verdict = plain.root(value).unwrap();
    assert_eq!((matches!(verdict.uid, Member::Good(_)), verdict.ts), (is_good, Member::Good(5)));
    assert_eq!(verdict.frame().is_ok(), is_good);
    assert!(is_good || verdict.frame() == Err(Malformed::BadUid) && verdict.key().is_none());
    for mut parser in fast::FastParser::all(&FrameFormat::default()) {
        let engine = parser.engine();
        assert!(parser.root(value) == Ok(verdict), "{engine}: a uid of {} bytes", value.len());
    }
}

#[test]
fn the_limit_is_exact() {
    assert_eq!(MAX_UID, MOST);
    let units =
        [("x", 1), ("\\u0061", 1), ("\\n", 1), ("\u{e4}", 2), ("\\u00e4", 2), ("\\ud83d\\ude00", 4), ("\u{1f600}", 4)];
    for (unit, len) in units {
        for bytes in [MOST - 1, MOST, MOST + 1, MOST + 5] {
            let uid = unit.repeat(bytes / len) + &"y".repeat(bytes % len);
            for value in [format!(r#"{{"uid":"{uid}","ts":5}}"#), format!(r#"{{"ts":5,"\u0075id":"{uid}","a":[]}}"#)] {
                agree(value.as_bytes(), bytes <= MOST);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn parsers_agree_at_the_limit(
        bytes in prop_oneof![MOST - 3..MOST + 4, 1..200_usize],
        pieces in prop::collection::vec(
            prop::sample::select(vec![("\\u0000", 1), ("\u{43f}", 2), ("\\ud83d\\ude00", 4), ("abc", 3), ("\\\"", 1), ("\u{20ac}", 3)]),
            0..4_000,
        ),
        first in any::<bool>(),
    ) {
        let pieces: Vec<_> = pieces.into_iter().map(|(piece, len)| (piece.to_owned(), len)).collect();
        let (uid, len) = uid(&pieces, bytes);
        let value = if first { format!(r#"{{"uid":"{uid}","ts":5}}"#) } else { format!(r#"{{"ts":"5" , "uid" : "{uid}" }}"#) };
        agree(value.as_bytes(), len <= MOST);
    }
}

#[test]
fn longer_ids_are_malformed_wherever_frames_are_read() {
    let mock = Mock::new(2);
    mock.topic("dead", 1);
    let kuu = Kuu::with(&mock.address);
    let good = [frame(&"a".repeat(MOST), MINUTE), frame(&"b".repeat(MOST - 1), MINUTE + 1), frame("c", MINUTE + 2)];
    let bad = [frame(&"d".repeat(MOST + 1), MINUTE), frame(&"e".repeat(900_000), MINUTE + 1)];
    let file = kuu.file("a.jsonl", lines(&[&good[..1], &bad, &good[1..]].concat()));
    kuu.run(&format!("produce {file}")).exits(0);
    // An invalid uid is not used as a key.
    let keys: usize = read(&mock.address, "messages").iter().filter(|message| message.key.is_some()).count();
    assert_eq!(keys, 3);
    kuu.run("count --dead-letter dead").exits(0);
    assert_eq!(settle(&rows(&mock.address, "output")), windows(&good));
    assert_eq!(kuu.record("count").ledger().malformed["bad_uid"], 2);
    let mut letters = values(&mock.address, "dead");
    letters.sort_by_key(Vec::len);
    assert_eq!(letters, bad);
    kuu.run("verify").exits(0);
    each(&["batch", "count", "batch --parser plain", "count --parser plain"], |command| {
        kuu.run(&format!("{command} {file}")).exits(0).complains("3 counted + 2 malformed (2 bad_uid)");
    });
}

#[test]
fn a_state_of_long_ids_is_split() {
    let mock = Mock::new(1);
    let kuu = Kuu::with(&mock.address);
    // Escaped characters take the most space.
    let wide = |name: u8| frame(&format!("{name}{}", "\\u0000".repeat(MOST - 1)), MINUTE);
    let plain = |name: u8| frame(&format!("{name}{}", "x".repeat(MOST - 1)), MINUTE);
    let all: Vec<Vec<u8>> = (0..3).map(wide).chain((3..9).map(plain)).chain([frame("u", MINUTE)]).collect();
    let file = kuu.file("a.jsonl", lines(&all));
    kuu.run(&format!("produce {file}")).exits(0);
    kuu.run("count").exits(0);
    let sizes: Vec<usize> = values(&mock.address, "kuu-state").iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|size| *size < 400_000) && sizes.iter().sum::<usize>() > 1_500_000, "{sizes:?}");
    let settled = settle(&rows(&mock.address, "output"));
    assert_eq!((settled[0].users, settled[0].frames), (10, 10));
}
