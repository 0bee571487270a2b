//! A frame before it is written in other formats.

use crate::tree::Tree;
use kuu_frame::plain::PlainParser;
use kuu_frame::{FrameFormat, Malformed};

/// A frame as it came, its truth, and its values in memory.
#[derive(Clone, Debug)]
pub struct Original {
    /// The user id, by kuu's parser.
    pub uid: String,
    /// The event time in Unix seconds, by kuu's parser.
    pub ts: i64,
    /// The frame as it came: JSON.
    pub json: Vec<u8>,
    /// The same without white space between its tokens.
    pub(crate) minified: Vec<u8>,
    /// All members.
    pub tree: Tree,
    /// All members but user id and event time.
    pub(crate) rest: Tree,
}

impl Original {
    /// Reads a frame with the plain parser, which defines the rules.
    ///
    /// # Errors
    /// Why it is malformed.
    pub fn read(json: &[u8], format: &FrameFormat) -> Result<Original, Malformed> {
        let mut parser = PlainParser::new(format.clone());
        let frame = parser.root(json)?.frame()?;
        let text = std::str::from_utf8(json).map_err(|_| Malformed::NotUtf8)?;
        let tree = Tree::read(text).map_err(|_| Malformed::NotJson)?;
        let mut rest = tree.clone();
        for path in [format.uid.names(), format.ts.names()] {
            rest.remove(path);
        }
        Ok(Original {
            uid: frame.uid.to_owned(),
            ts: frame.ts,
            json: json.to_vec(),
            minified: minified(json),
            tree,
            rest,
        })
    }
}

/// JSON without the white space between its tokens.
fn minified(json: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(json.len());
    let (mut within, mut escaped) = (false, false);
    for byte in json {
        if within || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            kept.push(*byte);
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => within = !within,
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_between_tokens_only() {
        let json = b" {\t\"a \\\" b\" :\r\n[ 1 , \"\\\\\" ] , \"c\" : \" \" } ";
        assert_eq!(minified(json), b"{\"a \\\" b\":[1,\"\\\\\"],\"c\":\" \"}");
    }

    #[test]
    fn an_original_has_the_truth_and_the_rest() {
        let original = Original::read(br#"{"a":{"uid":1},"\u0075id":"x","ts":"7"}"#, &FrameFormat::default()).unwrap();
        assert_eq!((original.uid.as_str(), original.ts), ("x", 7));
        assert_eq!(serde_json::to_string(&original.rest).unwrap(), r#"{"a":{"uid":1}}"#);
        assert_eq!(Original::read(b"{}", &FrameFormat::default()).unwrap_err(), Malformed::NoUid);
    }
}
