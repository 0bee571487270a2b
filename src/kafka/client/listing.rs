//! The properties of librdkafka, as `kuu -X list` prints them.

use crate::kafka::client::own::OWN;
use crate::kafka::client::properties::{is_secret, reservation};
use std::fmt::Write as _;

/// One property a line, with tabs between name, whose it is, default, range, and what it says; scripts/properties.py
/// writes it.
const ALL: &str = include_str!("librdkafka.txt");

/// All properties: a line each, with its default, then what it is, then what kuu does with it.
pub fn list() -> String {
    let mut text = String::new();
    for line in ALL.lines() {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        let (name, of, default, range, words) = (next(), next(), next(), next(), next());
        let of = match of {
            "C" => "consumer",
            "P" => "producer",
            _ => "both",
        };
        let _ = write!(text, "{name}={default}  [{of}]");
        if !range.is_empty() {
            let _ = write!(text, "  {range}");
        }
        let _ = writeln!(text, "\n    {words}");
        if let Some(own) = OWN.iter().find(|own| own.name == name) {
            let _ = writeln!(text, "    kuu sets it: {}", own.value);
        }
        match reservation(name) {
            Some(reserved) if reserved.fine.is_empty() => {
                let _ = writeln!(text, "    kuu refuses it: {}", reserved.why);
            }
            Some(reserved) => {
                let _ = writeln!(text, "    kuu refuses all but {}: {}", reserved.fine.join(", "), reserved.why);
            }
            None if is_secret(name) => {
                let _ = writeln!(text, "    kuu refuses it on the command line, as it is a secret: --config FILE");
            }
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<&'static str> {
        ALL.lines().map(|line| line.split('\t').next().unwrap()).collect()
    }

    /// librdkafka has no other way to ask: an empty value may be wrong, but an unknown name is always said to be.
    #[test]
    fn every_property_is_one_of_this_librdkafka() {
        assert!(names().len() > 150);
        for name in names() {
            let mut config = rdkafka::ClientConfig::new();
            config.set(name, "-");
            let error = config.create_native_config().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("No such configuration property"), "{error}");
        }
    }

    #[test]
    fn what_kuu_sets_is_listed() {
        for own in &OWN {
            assert!(names().contains(&own.name), "{}", own.name);
        }
        let text = list();
        assert!(text.contains(
            "\nfetch.wait.max.ms=500  [consumer]  0 .. 300000\n    Maximum time the broker may wait to fill the Fetch \
             response with fetch.min.bytes of messages\n    kuu sets it: 20\n"
        ));
        assert!(text.contains(
            "\nenable.auto.offset.store=true  [consumer]  true, false\n    Automatically store offset of last message \
             provided to application\n    kuu sets it: false\n    kuu refuses all but false, f, 0: kuu itself commits \
             positions, together with their results\n"
        ));
        assert!(text.contains("\n    kuu refuses it: the group is named by --group\n"));
        assert!(text.contains("\n    kuu refuses it on the command line, as it is a secret: --config FILE\n"));
    }
}
