//! A reading thread that dies: the run ends with an error, not as at the end of the input.

use crate::support::broker::{Mock, values};
use crate::support::frames::{fixture_lines, gzip, lines};
use crate::support::kuu::{Done, Kuu, each};

const FRAMES: usize = 3_000;

/// Asserts that a run ended because a thread died.
#[track_caller]
fn died(done: Done, words: &str) -> Done {
    assert_eq!(done.code, Some(2), "{done}");
    done.complains("planted by KUU_TEST_PANIC").complains(words).complains("which is a fault of kuu")
}

fn words(thread: &str) -> &str {
    if thread == "input" { "f: the thread that reads it died at byte " } else { thread }
}

#[test]
fn while_files_are_counted() {
    let frames = fixture_lines(FRAMES);
    let cases = [("batch", "input"), ("batch", "truth"), ("count", "input"), ("count", "files"), ("count", "parser")];
    each(&cases, |(command, thread)| {
        for bytes in [lines(frames), gzip(&lines(frames))] {
            let mut kuu = Kuu::new();
            kuu.file("f", &bytes);
            kuu.plant_panic(thread);
            let file = died(kuu.run(&format!("{command} f")), words(thread));
            let stream =
                died(kuu.feed(&format!("{command} -"), &bytes), &words(thread).replace("f: ", "standard input: "));
            // No window is complete when the thread dies, so there is no result.
            assert_eq!((file.out.as_str(), stream.out.as_str()), ("", ""), "{command}, {thread}");
        }
    });
}

#[test]
fn while_files_are_produced_or_verified() {
    let frames = fixture_lines(FRAMES);
    for thread in ["input", "files"] {
        let mock = Mock::new(1);
        let mut kuu = Kuu::with(&mock.address);
        kuu.file("f", lines(frames));
        kuu.plant_panic(thread);
        let done = died(kuu.run("produce f"), words(thread));
        // The frames that were read before are in the topic.
        let sent = values(&mock.address, "messages");
        assert!(!sent.is_empty() && sent[..] == frames[..sent.len()], "{thread}: {} frames", sent.len());
        assert!(thread != "input" || sent.len() < FRAMES);
        let number = |n: usize| if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) };
        done.complains(&format!("{0} frames read, {0} delivered", number(sent.len())));
    }
    let mock = Mock::new(1);
    let mut kuu = Kuu::with(&mock.address);
    kuu.file("f", lines(frames));
    kuu.run("produce f").exits(0);
    kuu.run("count").exits(0);
    for thread in ["input", "truth"] {
        kuu.plant_panic(thread);
        let done = died(kuu.run("verify f"), words(thread));
        assert!(!done.out.contains("exact"), "{done}");
    }
}

#[test]
fn while_bench_reads() {
    for thread in ["input", "files", "truth"] {
        let mut kuu = Kuu::bare();
        kuu.file("f", lines(fixture_lines(FRAMES)));
        kuu.plant_panic(thread);
        died(kuu.run("bench f --rounds 1 --live-seconds 500ms"), words(thread));
        assert!(!kuu.has_record("bench"));
    }
}
