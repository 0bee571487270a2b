//! `kuu bench --distinct`: exact sets and sketches on the same frames.

use crate::support::frames::{MINUTE, frame, lines};
use crate::support::kuu::Kuu;

#[test]
fn exact_sets_and_sketches_side_by_side() {
    let kuu = Kuu::new();
    let many: Vec<Vec<u8>> = (0..6_000).map(|i| frame(&format!("user-{}", i % 2_500), MINUTE + i / 3_000)).collect();
    let few: Vec<Vec<u8>> = (0..300).map(|i| frame(&format!("user-{}", i % 3), MINUTE + i)).collect();
    let (many, few) = (kuu.file("many.jsonl", lines(&many)), kuu.file("few.jsonl", lines(&few)));
    let done = kuu.run(&format!("bench --distinct --rounds 2 {few} {many}")).exits(0).says("hll:14");
    assert_eq!(done.out.lines().filter(|line| line.contains("than exact sets")).count(), 3, "{done}");
    let name = done.out.lines().last().unwrap().rsplit('/').next().unwrap().trim_end_matches(".json").to_owned();
    let record = kuu.record(&name);
    assert_eq!((record.config["distinct"].as_bool(), record.input.len()), (Some(true), 2));
    let [few, many] = &record.distinct[..] else { panic!("{record:?}") };
    assert_eq!((few.frames, few.users, few.windows, few.window_users, few.all_window_users), (300, 3, 5, 3, 15));
    assert_eq!((many.frames, many.users, many.windows, many.window_users), (6_000, 2_500, 1, 2_500));
    for input in [few, many] {
        let ways: Vec<&str> = input.ways.iter().map(|way| way.distinct.as_str()).collect();
        assert_eq!(ways, ["exact", "hll:11", "hll:14", "hll:17"]);
        assert_eq!(input.parse_ns.len(), 2);
        // Every sample has its slot: the second round is the first one, backwards.
        let slots: Vec<&str> = input.turns.iter().map(|turn| turn.stage.as_str()).collect();
        let round = ["exact", "parse", "hll:11", "hll:17", "hll:14"];
        assert_eq!(slots, [&round[..], &["hll:14", "hll:17", "hll:11", "parse", "exact"]].concat());
        let took = |stage: &str| -> Vec<f64> {
            let turns = input.turns.iter().filter(|turn| turn.stage == stage);
            turns.map(|turn| turn.took_us * 1e3 / input.frames as f64).collect()
        };
        for (stage, samples) in [("parse", &input.parse_ns), ("hll:17", &input.ways[3].frame_ns)] {
            let same = took(stage).iter().zip(samples).all(|(turn, sample)| (turn / sample - 1.0).abs() < 1e-9);
            assert!(same && samples.len() == 2, "{stage}: {:?} {samples:?}", took(stage));
        }
        assert!(input.turns[0].started_us == 0 && input.turns.is_sorted_by_key(|turn| turn.started_us));
        for way in &input.ways {
            assert!(way.frame_ns.len() == 2 && way.frame_ns.iter().all(|ns| *ns > 0.0), "{way:?}");
            assert!(way.memory_bytes > 0 && way.state_bytes > 0, "{way:?}");
        }
    }
    let errors = |index: usize| (many.ways[index].largest_error, many.ways[index].rms_error);
    // 2,500 users are a list of hashes to 2^17 registers, and nearly to 2^14.
    assert_eq!((errors(0), errors(3)), ((0.0, 0.0), (0.0, 0.0)));
    let (largest, rms) = errors(1);
    assert!(largest > 0.0 && largest < 0.12 && (largest - rms).abs() < 1e-12, "one window: {largest} {rms}");
    // Registers, 2,500 hashes or registers of a byte, and ids.
    assert_eq!(many.ways[1].memory_bytes / 1024, 2);
    assert!(many.ways[0].memory_bytes > 2_500 * 8, "ids are kept");
    kuu.run("bench --distinct --sweep a.jsonl").exits(2).complains("cannot be used with");
}
