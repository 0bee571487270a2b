//! Formats that a user may pass by mistake: read as text, none of their lines would be a frame.

/// A format that kuu does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignFormat {
    /// The content of the input.
    pub(super) what: &'static str,
    /// A command that prints the text of the file named after it.
    pub(super) command: &'static str,
}

impl ForeignFormat {
    const fn new(what: &'static str, command: &'static str) -> ForeignFormat {
        ForeignFormat { what, command }
    }
}

/// The foreign format of an input that begins with these bytes, if any. No JSON text, complete or truncated, begins
/// like this.
pub(super) fn recognise(head: &[u8]) -> Option<ForeignFormat> {
    Some(match head {
        // The second pattern is a skippable frame, which parallel compressors write first.
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
        // The head is inflated already if the input is gzip.
        [0x1f, 0x8b, 8, ..] => ForeignFormat::new("gzip data inside gzip data", "zcat"),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            ForeignFormat::new("UTF-32 text", "iconv -f UTF-32 -t UTF-8")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ForeignFormat::new("UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        // The name of the archive's first file, padded with zeros.
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
