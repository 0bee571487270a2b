//! Formats that an input may be in by mistake: read as text, no line of it would be a frame.

/// A format that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignFormat {
    /// What the input holds.
    pub(super) what: &'static str,
    /// A command that prints the text of the file that follows.
    pub(super) command: &'static str,
}

impl ForeignFormat {
    const fn new(what: &'static str, command: &'static str) -> ForeignFormat {
        ForeignFormat { what, command }
    }
}

/// What an input that begins like this holds, unless it is text. No JSON text, sound or cut off, begins like one of these.
pub(super) fn recognise(head: &[u8]) -> Option<ForeignFormat> {
    Some(match head {
        // The second is a frame to be skipped, as parallel compressors write it first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            ForeignFormat::new("zstd data", "zstdcat")
        }
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
            ForeignFormat::new("bzip2 data", "bzcat")
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ForeignFormat::new("xz data", "xzcat"),
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => ForeignFormat::new("LZ4 data", "lz4 -dc"),
        [b'P', b'K', 3, 4, ..] => ForeignFormat::new("a zip archive", "unzip -p"),
        [0x1f, 0x9d, ..] => ForeignFormat::new("data of compress", "zcat"),
        // Gzip data is inflated before it is looked at.
        [0x1f, 0x8b, 8, ..] => ForeignFormat::new("gzip data inside gzip data", "zcat"),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            ForeignFormat::new("UTF-32 text", "iconv -f UTF-32 -t UTF-8")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ForeignFormat::new("UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        // The name of its first file, filled up with zeros.
        _ if head.get(257..262) == Some(b"ustar") && head[..100].contains(&0) => {
            ForeignFormat::new("a tar archive", "tar -xOf")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_taken_for_anything_else() {
        let long = format!("{{\"uid\":\"a\",\"ts\":1,\"pad\":\"{}ustar\"}}", "x".repeat(232));
        assert_eq!(&long[257..262], "ustar");
        for text in ["", "{", "{}", "(", "B", "BZh9{}", "P*M", "PK", "\x1f", "\u{feff}{}", "\0", long.as_str()] {
            assert_eq!(recognise(text.as_bytes()), None, "{text:?}");
        }
    }
}
