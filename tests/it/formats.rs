//! `kuu formats`.

use crate::support::kuu::Kuu;

#[cfg(not(feature = "formats"))]
#[test]
fn without_the_libraries_it_says_how_to_build_them() {
    let kuu = Kuu::new();
    kuu.run("formats frames.jsonl").exits(2).complains("cargo build --release --features formats");
}

#[cfg(feature = "formats")]
mod measured {
    use super::Kuu;
    use serde_json::Value;

    const FORMATS: [&str; 9] = [
        "json",
        "json-minified",
        "header-json",
        "messagepack",
        "cbor",
        "avro",
        "protobuf-struct",
        "protobuf-bytes",
        "arrow",
    ];

    fn rows(record: &Value) -> Vec<(&str, &str)> {
        let rows = record["formats"].as_array().unwrap();
        rows.iter().map(|row| (row["compression"].as_str().unwrap(), row["format"].as_str().unwrap())).collect()
    }

    #[test]
    fn every_format_has_a_row_in_every_compression() {
        let kuu = Kuu::bare();
        kuu.run("generate -o f.jsonl --frames 130 --frame-bytes 300 --trouble cut=0.1 --trouble ts-text=0.1 --trouble deep=0.02")
            .exits(0);
        let done = kuu.run("formats f.jsonl --limit 100 --rounds 2 --json").exits(0);
        let record: Value = serde_json::from_str(&done.out).unwrap();
        let compressions = ["none", "lz4", "zstd"].into_iter();
        let expected: Vec<_> = compressions.flat_map(|it| FORMATS.map(|format| (it, format))).collect();
        assert_eq!(rows(&record), expected);
        assert_eq!(
            (record["broker"]["kind"].as_str(), record["ledger"]["counted"].as_u64()),
            (Some("embedded"), Some(100))
        );
        let malformed = record["ledger"]["malformed"]["not_json"].as_u64().unwrap();
        assert!(malformed > 0 && record["ledger"]["read"].as_u64() == Some(100 + malformed), "{}", record["ledger"]);
        for row in record["formats"].as_array().unwrap() {
            assert_eq!((row["wrong_frames"].as_u64(), row["frames"].as_u64()), (Some(0), Some(100)));
            for what in [
                "value_bytes_per_frame",
                "stored_bytes_per_frame",
                "encode_ns_per_frame",
                "read_whole_ns_per_frame",
                "read_skip_ns_per_frame",
                "kafka_send_frames_per_s",
                "kafka_read_frames_per_s",
            ] {
                let format = row["format"].as_str().unwrap();
                let name = format!("{}_{}_{what}", format.replace('-', "_"), row["compression"].as_str().unwrap());
                let samples = record["figures"][&name]["samples"].as_array().unwrap().len();
                assert_eq!(samples, if what.ends_with("bytes_per_frame") { 1 } else { 2 }, "{name}");
                assert_eq!(row[what]["median"], record["figures"][&name]["value"], "{name}");
                assert!(format != "json" || row[what]["ratio_to_json"] == 1.0, "{name}");
            }
        }
        // Every sample has its slot: in memory each cell comes thrice in a row, then each twice through the broker.
        let turns = record["turns"].as_array().unwrap();
        let stages: Vec<&str> = turns.iter().map(|turn| turn["stage"].as_str().unwrap()).collect();
        assert_eq!(stages.len(), 2 * 27 * 5);
        assert_eq!(
            stages[..4],
            ["json_none_encode", "json_none_read_whole", "json_none_read_skip", "arrow_zstd_encode"]
        );
        assert_eq!(stages[81..83], ["json_none_kafka_send", "json_none_kafka_read"]);
        assert_eq!(stages.last(), Some(&"json_none_kafka_read"));
        assert!(turns.is_sorted_by_key(|turn| turn["started_us"].as_u64().unwrap()));
        let took: Vec<f64> = turns
            .iter()
            .filter(|turn| turn["stage"] == "avro_lz4_encode")
            .map(|turn| turn["took_us"].as_f64().unwrap() * 1e3 / 100.0)
            .collect();
        let samples = record["figures"]["avro_lz4_encode_ns_per_frame"]["samples"].as_array().unwrap();
        let same = took.iter().zip(samples).all(|(turn, sample)| (turn / sample.as_f64().unwrap() - 1.0).abs() < 1e-9);
        assert!(same && took.len() == 2, "{took:?} {samples:?}");
        assert!(done.err.contains(&format!("{malformed} values malformed, not written")), "{done}");
        assert!(done.err.contains("every format gives user id and event time of all 100 frames back"), "{done}");
    }

    #[test]
    fn a_format_that_changes_an_answer_is_marked() {
        let kuu = Kuu::new();
        let frames =
            ["123456789012345678901234567890", "7", "8"].map(|id| format!("{{\"u\":{{\"id\":{id}}},\"at\":5}}\n"));
        kuu.file("f.jsonl", frames.concat());
        let line = "formats f.jsonl --no-kafka --rounds 1 --uid /u/id --uid-type integer --ts at";
        let done = kuu.run(line).exits(0);
        let marked: Vec<&str> =
            done.out.lines().filter(|line| line.contains("CHANGES the answer of 1 frame")).collect();
        let formats: Vec<&str> = marked.iter().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(formats, ["messagepack", "cbor"].repeat(3), "{done}");
        assert!(!done.out.contains("sent/s"), "{done}");
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let kuu = Kuu::new();
        kuu.file("f.jsonl", "{\"user\":\"a\",\"at\":5}\n");
        kuu.run("formats f.jsonl --no-kafka").exits(2).complains("none of 1 frame has a user id at /uid");
        kuu.file("g.jsonl", "nothing\n");
        kuu.run("formats g.jsonl --no-kafka").exits(2).complains("none of 1 value is a frame");
    }
}
