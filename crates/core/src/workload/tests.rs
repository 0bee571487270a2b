use super::*;
use crate::counter::{Config, Counter};
use crate::lines::Block as Lines;
use crate::truth::Truth;
use crate::window::Unit;
use kuu_frame::{Malformed, Parser, ParserKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What a stream has, and what is true of it.
fn made(spec: &Spec, threads: usize) -> (Vec<u8>, TruthFile) {
    let generator = Generator::new(spec).unwrap();
    let (mut bytes, mut oracle) = (Vec::new(), Oracle::new(spec));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let done = pool.install(|| {
        in_order(
            generator.blocks(),
            |number, block: &mut GeneratedBlock| generator.fill(number, block),
            |block| {
                bytes.extend_from_slice(block.bytes());
                oracle.take(block);
                ControlFlow::<()>::Continue(())
            },
        )
    });
    assert_eq!(done, ControlFlow::Continue(()));
    (bytes, oracle.finish())
}

fn counted(bytes: &[u8], spec: &Spec, kind: ParserKind) -> Truth {
    let mut truth = Truth::new(&spec.window);
    truth.add_block(&mut Parser::new(&kind.into()), &Lines::new(bytes.to_vec(), 1));
    truth
}

#[track_caller]
fn is_true(spec: &Spec) -> TruthFile {
    let (bytes, truth) = made(spec, 2);
    for kind in [ParserKind::Plain, ParserKind::Fast] {
        let counted = counted(&bytes, spec, kind);
        assert_eq!(truth.differences(&counted.windows(), counted.ledger()), [], "{kind}, {spec:?}");
    }
    is_counted(spec, &truth);
    assert_eq!(truth.header.totals.bytes, bytes.len() as u64);
    assert_eq!(truth.header.totals.lines, spec.frames);
    truth
}

/// Checks that the streaming counter has the windows and the ledger of the truth, where that is defined: with one
/// partition, or if nothing comes beyond retention; and with enough frames an hour for its clock to believe a jump.
#[track_caller]
fn is_counted(spec: &Spec, truth: &TruthFile) {
    let is_thin = spec.rate < 0.01 && !spec.troubles.is_empty();
    if is_thin || (spec.partitions > 1 && truth.header.totals.too_late > 0) {
        return;
    }
    let config = Config {
        units: spec.window.clone(),
        lateness: spec.lateness.into(),
        retention: spec.retention.into(),
        ..Config::default()
    };
    let mut counter = Counter::new(config, spec.partitions.into());
    let (generator, mut block) = (Generator::new(spec).unwrap(), GeneratedBlock::default());
    let mut parser = Parser::new(&ParserKind::Fast.into());
    for number in 0..generator.blocks() {
        generator.fill(number, &mut block);
        for line in block.lines().filter(|line| line.meant != Meant::Blank) {
            counter.observe(line.partition.into(), parser.parse(line.bytes));
        }
    }
    counter.finish();
    let mut last = BTreeMap::new();
    for result in counter.drain() {
        last.insert((result.window.start, result.window.unit), (result.users, result.frames));
    }
    let expected = |row: &TruthRow| {
        let counted = row.counted.unwrap_or(Kept { users: row.users, frames: row.frames });
        (counted.frames > 0).then_some(((row.start, row.unit), (counted.users, counted.frames)))
    };
    let expected: BTreeMap<_, _> = truth.rows.iter().filter_map(expected).collect();
    assert_eq!(last, expected, "{spec:?}");
    let (ledger, totals) = (counter.ledger(), &truth.header.totals);
    assert_eq!((ledger.read, ledger.too_late, ledger.too_far), (totals.read, totals.too_late, 0), "{spec:?}");
    assert_eq!(ledger.counted, totals.counted - totals.too_late, "{spec:?}");
}

fn troubles(texts: &[&str]) -> Vec<Trouble> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Every trouble at once, with four partitions.
fn trouble_of_every_kind() -> Spec {
    let is_share = |kind: &Kind| kind.value_kind() == ValueKind::Share;
    let shares = Kind::ALL.iter().copied().filter(is_share);
    let mut all: Vec<Trouble> = shares.map(|kind| format!("{kind}=0.02").parse().unwrap()).collect();
    let others = ["future-first=1", "future-middle=1", "future-last=1", "pause=2d", "big=2", "huge"];
    all.extend(troubles(&others));
    all.extend(troubles(&["ahead=1:10min", "behind=1:2min", "silent=2:60", "empty=3"]));
    Spec {
        frames: 5_000,
        rate: 10.0,
        users: 700,
        skew: 0.9,
        seed: 3,
        delay: 20,
        delay_probability: Share::try_from(0.05).unwrap(),
        crlf: true,
        frame_bytes: 300,
        partitions: 4,
        window: vec![Unit::Minute, Unit::Day],
        troubles: all,
        ..Spec::default()
    }
}

fn hash(bytes: &[u8]) -> u64 {
    // FNV-1a: enough to notice a change; the tests of the program have the SHA-256.
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn threads_do_not_matter() {
    let spec = Spec { frames: 4_000, ..trouble_of_every_kind() };
    for spec in [Spec { frames: 3_000, ..Spec::default() }, spec] {
        let one = made(&spec, 1);
        for threads in [2, 5] {
            assert!(made(&spec, threads) == one, "{threads} threads");
        }
        let other = made(&Spec { seed: spec.seed + 1, ..spec.clone() }, 1);
        assert_ne!(hash(&other.0), hash(&one.0));
    }
}

#[test]
fn all_troubles_at_once_are_true() {
    let truth = is_true(&trouble_of_every_kind());
    for count in &truth.header.troubles {
        assert!(count.lines > 0, "{}", count.trouble);
    }
    let malformed: u64 = truth.header.totals.malformed.values().sum();
    let broken = truth.header.troubles.iter();
    let broken = broken.filter(|count| count.trouble.kind == Kind::Flip || count.trouble.kind.reason().is_some());
    assert_eq!(malformed, broken.map(|count| count.lines).sum::<u64>());
    assert_eq!(truth.header.totals.malformed.len(), Malformed::ALL.len());
}

#[test]
fn each_trouble_has_its_own_count() {
    for kind in Kind::ALL {
        let trouble = Trouble { kind: *kind, value: kind.default_value() };
        let spec = Spec { frames: 3_000, partitions: 2, frame_bytes: 200, troubles: vec![trouble], ..Spec::default() };
        let generator = Generator::new(&spec).unwrap();
        let truth = is_true(&spec);
        let lines = truth.header.troubles[0].lines;
        let plain = made(&Spec { troubles: Vec::new(), ..spec.clone() }, 1).1.header.totals;
        let totals = &truth.header.totals;
        if let Some(reason) = kind.reason() {
            assert_eq!(totals.malformed, BTreeMap::from([(reason.name().to_owned(), lines)]), "{kind}");
            assert_eq!(totals.counted, 3_000 - lines, "{kind}");
        }
        let (mut block, mut seen) = (GeneratedBlock::default(), Vec::new());
        for number in 0..generator.blocks() {
            generator.fill(number, &mut block);
            seen.extend(block.lines().map(|line| (line.bytes.to_vec(), line.partition, line.meant)));
        }
        let partition = |of: u16| seen.iter().filter(|line| line.1 == of).count() as u64;
        let has = |text: &str| seen.iter().filter(|line| contains(&line.0, text)).count() as u64;
        match kind {
            Kind::Blank => assert_eq!(totals.blank, lines),
            Kind::Flip => assert_eq!(totals.malformed.values().sum::<u64>(), lines),
            Kind::Empty => assert_eq!((partition(0), lines), (0, 1_500)),
            Kind::Silent => assert_eq!((partition(0), lines), (750, 750)),
            Kind::Ahead | Kind::Behind => assert_eq!(lines, partition(0)),
            Kind::Pause | Kind::FutureFirst | Kind::FutureMiddle | Kind::FutureLast => assert_eq!(lines, 1),
            Kind::Big => assert_eq!(seen.iter().filter(|line| (990_000..1_010_000).contains(&line.0.len())).count(), 1),
            Kind::Huge => assert_eq!(seen.iter().filter(|line| line.0.len() > 1_100_000).count(), 1),
            Kind::LateBeyond => assert_eq!((totals.late, totals.too_late), (plain.late + lines, 0)),
            Kind::LateRetention | Kind::Past => assert_eq!((totals.late, totals.too_late), (lines, lines)),
            Kind::TsText => assert_eq!(has(r#""ts":"146824"#), lines),
            Kind::EscapedKey => assert_eq!(has(r#""\u0075i\u0064":"#), lines),
            Kind::EscapedUid => assert_eq!(has(r#""uid":"\u00"#), lines),
            Kind::Deep => assert_eq!(has(&"[".repeat(999)), lines),
            _ => {}
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

#[test]
fn duplicates_are_lines_that_came_before() {
    let spec = Spec { frames: 3_000, users: 1_000_000, troubles: troubles(&["duplicate=0.1"]), ..Spec::default() };
    let (bytes, truth) = made(&spec, 1);
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines.pop();
    lines.sort_unstable();
    let all = lines.len();
    lines.dedup();
    assert_eq!((all - lines.len()) as u64, truth.header.troubles[0].lines);
    assert!((200..400).contains(&truth.header.troubles[0].lines));
}

#[test]
fn edges_are_the_first_and_the_last_second_of_a_window() {
    let spec = Spec { frames: 2_000, troubles: troubles(&["edges=1"]), ..Spec::default() };
    let generator = Generator::new(&spec).unwrap();
    let (mut block, mut first, mut last) = (GeneratedBlock::default(), 0, 0);
    for number in 0..generator.blocks() {
        generator.fill(number, &mut block);
        for line in block.lines() {
            let Meant::Frame { ts, .. } = line.meant else { panic!("no frame") };
            first += u64::from(ts % 60 == 0);
            last += u64::from(ts % 60 == 59);
        }
    }
    let edges = is_true(&spec).header.troubles[0].lines;
    assert_eq!(edges, 2_000 - 64);
    assert!(first + last >= edges && first > 900 && last > 900);
}

#[test]
fn a_future_stamp_makes_nothing_late() {
    for trouble in ["future-first", "future-middle", "future-last"] {
        let spec = Spec { frames: 2_000, troubles: troubles(&[trouble]), ..Spec::default() };
        let truth = is_true(&spec);
        assert_eq!((truth.header.totals.late, truth.header.troubles[0].lines), (0, 1));
        assert!(truth.rows.iter().all(|row| row.users_min == row.users_max));
        assert_eq!(truth.rows.last().unwrap().frames, 1);
    }
}

#[test]
fn late_frames_are_not_in_the_lower_bound() {
    let spec =
        Spec { frames: 6_000, troubles: troubles(&["late-beyond=0.1", "late-retention=0.1"]), ..Spec::default() };
    let truth = is_true(&spec);
    let lines = |i: usize| truth.header.troubles[i].lines;
    assert_eq!((truth.header.totals.late, truth.header.totals.too_late), (lines(0) + lines(1), lines(1)));
    assert!(truth.rows.iter().any(|row| 0 < row.users_min && row.users_min < row.users_max));
    let beyond: u64 = truth.rows.iter().filter_map(|row| Some(row.frames - row.counted?.frames)).sum();
    assert_eq!(beyond, lines(1));
}

#[test]
fn the_last_second_of_retention_is_exact() {
    let delay_probability = Share::try_from(0.3).unwrap();
    for retention in [0, 60, 77] {
        let spec = Spec { frames: 6_000, rate: 3.0, retention, delay: 300, delay_probability, ..Spec::default() };
        assert!(is_true(&spec).header.totals.too_late > 100);
    }
}

#[test]
fn calendars_at_their_ends() {
    // A leap day, the end of a leap year, and the end of an ISO week 53.
    for start in [1_709_164_740, 1_735_689_540, 1_609_459_140] {
        let spec = Spec { frames: 600, rate: 5.0, start, window: Unit::NAMED.to_vec(), ..Spec::default() };
        assert!(is_true(&spec).rows.iter().filter(|row| row.unit == Unit::Day).count() == 2);
    }
}

#[test]
fn extremes() {
    for spec in [
        Spec { frames: 0, ..Spec::default() },
        Spec { frames: 1, users: 1, ..Spec::default() },
        Spec { frames: 5_000, users: 1, frame_bytes: 100, rate: 0.01, start: 0, ..Spec::default() },
        Spec { frames: 3, frame_bytes: 1_000_000, ..Spec::default() },
        Spec { frames: 2_000, users: u32::MAX, rate: 1e9, lateness: 0, retention: 0, ..Spec::default() },
    ] {
        is_true(&spec);
    }
}

#[test]
fn what_cannot_be_made() {
    for (spec, says) in [
        (Spec { rate: 0.0, ..Spec::default() }, "rate"),
        (Spec { rate: f64::NAN, ..Spec::default() }, "rate"),
        (Spec { users: 0, ..Spec::default() }, "users"),
        (Spec { skew: -1.0, ..Spec::default() }, "skew"),
        (Spec { skew: 1.0, users: u32::MAX, ..Spec::default() }, "20,000,000"),
        (Spec { frame_bytes: 99, ..Spec::default() }, "frame-bytes"),
        (Spec { start: -1, ..Spec::default() }, "start"),
        (Spec { start: 0, delay: 1, ..Spec::default() }, "start: from 1 to"),
        (Spec { start: kuu_frame::MAX_TS, ..Spec::default() }, "start"),
        (Spec { window: Vec::new(), ..Spec::default() }, "window"),
        (Spec { troubles: troubles(&["empty=1"]), ..Spec::default() }, "there are 1 partitions"),
        (Spec { troubles: troubles(&["empty"]), ..Spec::default() }, "one must go on"),
        (Spec { troubles: troubles(&["cut=0.6", "joined=0.5"]), ..Spec::default() }, "more than 1 in all"),
        (Spec { frames: 2, troubles: troubles(&["big=3"]), ..Spec::default() }, "more single troubles"),
        (Spec { partitions: 2, troubles: troubles(&["empty=1", "future-last=1"]), ..Spec::default() }, "has no frames"),
    ] {
        let error = Generator::new(&spec).err().unwrap();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_specification_is_data() {
    let spec = trouble_of_every_kind();
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
    let short: Spec = serde_json::from_str(r#"{"frames":7,"frame-bytes":200,"troubles":["cut=0.5"]}"#).unwrap();
    assert_eq!(short, Spec { frames: 7, frame_bytes: 200, troubles: troubles(&["cut=0.5"]), ..Spec::default() });
    for text in [r#"{"frame":7}"#, r#"{"troubles":["late"]}"#, r#"{"delay-probability":2}"#] {
        assert!(serde_json::from_str::<Spec>(text).is_err(), "{text}");
    }
}

#[test]
fn a_truth_file_that_was_mangled_is_refused() {
    let (_, truth) = made(&Spec { frames: 6_000, ..Spec::default() }, 1);
    let mut text = Vec::new();
    truth.write(&mut text).unwrap();
    assert_eq!(TruthFile::read(&text[..]).unwrap(), truth);
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let error = |text: String| TruthFile::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error(String::new()).starts_with("line 1: the file is empty"));
    assert!(error("{}".into()).starts_with("line 1: no header"));
    assert!(error(text.replacen("\"format\":1", "\"format\":2", 1)).starts_with("line 1: format 2"));
    assert!(error(lines[..2].join("\n")).starts_with("line 3: 1 windows, but the header says 2"));
    assert!(error(format!("{text}{}\n", lines[1])).starts_with("line 4: windows are not in order"));
    assert!(error(text[..text.len() - 10].into()).starts_with("line 3: no window of a truth file"));
    assert!(error(text.replacen("\"frames\":1600", "\"frame\":1600", 1)).starts_with("line 2: no window"));
    let start = format!("\"start\":{}", truth.rows[0].start);
    assert!(error(text.replacen(&start, &format!("{start}1"), 1)).contains("starts at"));
}

#[test]
fn every_number_is_compared() {
    let spec = Spec { frames: 6_000, troubles: troubles(&["cut", "blank"]), ..Spec::default() };
    let (bytes, truth) = made(&spec, 1);
    let counted = counted(&bytes, &spec, ParserKind::Fast);
    let differ = |change: &dyn Fn(&mut TruthFile)| {
        let mut truth = truth.clone();
        change(&mut truth);
        let found = truth.differences(&counted.windows(), counted.ledger());
        found.into_iter().map(|difference| difference.number).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(differ(&|_| {}), "");
    assert_eq!(differ(&|truth| truth.rows[0].users += 1), "users");
    assert_eq!(differ(&|truth| truth.rows[1].frames -= 1), "frames");
    assert_eq!(differ(&|truth| _ = truth.rows.pop()), "users frames");
    assert_eq!(differ(&|truth| truth.header.totals.read += 1), "read");
    assert_eq!(differ(&|truth| truth.header.totals.counted += 1), "counted");
    assert_eq!(differ(&|truth| truth.header.totals.blank += 1), "blank");
    assert_eq!(differ(&|truth| truth.header.totals.malformed.clear()), "not_json");
    assert_eq!(differ(&|truth| _ = truth.header.totals.malformed.insert("no_ts".into(), 1)), "no_ts");
}

prop_compose! {
    fn any_spec()(
        frames in 0_u64..700,
        rate in prop::sample::select(vec![0.001, 0.3, 7.0, 100.0, 1e6]),
        users in prop::sample::select(vec![1_u32, 7, 300, 1_000_000]),
        skew in prop::sample::select(vec![0.0, 0.0, 1.1]),
        seed in any::<u64>(),
        start in 400_000_000_i64..4_000_000_000,
        delay in 0_u32..200,
        crlf in any::<bool>(),
        frame_bytes in 100_u32..1_500,
        shape in (1_u16..4, any::<bool>()),
        lateness in 0_u32..100,
        retention in prop::sample::select(vec![0_u32, 7, 60, 86_400]),
        window in prop::sample::subsequence([Unit::NAMED, &[Unit::every(90).unwrap()]].concat(), 1..4),
        kinds in prop::sample::subsequence(Kind::ALL.to_vec(), 0..8),
    ) -> Spec {
        let is_share = |kind: &Kind| kind.value_kind() == ValueKind::Share;
        let mut troubles = Vec::new();
        for kind in kinds {
            let tenth = Amount::Share(Share::try_from(0.1).unwrap());
            let value = if is_share(&kind) { tenth } else { kind.default_value() };
            // What needs many frames or more partitions is tried elsewhere.
            if frames > 10 && (shape.0 > 1 || !matches!(kind, Kind::Empty | Kind::Silent)) {
                troubles.push(Trouble { kind, value });
            }
        }
        let ends = troubles.iter().any(|trouble| matches!(trouble.kind, Kind::Empty | Kind::Silent));
        troubles.retain(|trouble| !ends || trouble.kind < Kind::FutureFirst || trouble.kind > Kind::FutureLast);
        Spec {
            frames, rate, users, skew, seed, start, delay, delay_probability: Share::try_from(0.1).unwrap(), crlf,
            frame_bytes, partitions: shape.0, keyed: shape.1, window, lateness, retention, troubles,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stream_is_what_it_was_meant_to_be(spec in any_spec()) {
        is_true(&spec);
    }
}
