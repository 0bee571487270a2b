//! Random text that is nearly JSON, and random objects.

use proptest::prelude::*;

/// Text made of pieces of frames, so that much of it is nearly JSON.
pub fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            " ",
            "\n",
            "\"uid\"",
            "\"ts\"",
            "\"uid\":\"a\"",
            "\"ts\":5",
            "true",
            "false",
            "null",
            "0",
            "-1.5e3",
            "\"\\u0075id\"",
            "\"\\ud800\"",
            "\"\"",
            "\"x\":",
            "[]",
            "{}",
            "\u{436}",
            "\0",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        "[ -~]{0,40}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The text of an object, with white space here and there.
pub fn object() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z]{0,3}",
        "[ -!#-\\[\\]-~а-я]{0,70}",
        prop::collection::vec(
            prop::sample::select(vec!["\\\\", "\\\"", "\\n", "\\/", "\\u0436", "\\ud83d", "\\ude00", "\\u0075", "x"]),
            0..50
        )
        .prop_map(|parts| parts.concat()),
    ]
    .prop_map(|text| format!("\"{text}\""));
    let name = prop_oneof![
        text.clone(),
        prop::sample::select(vec!["\"uid\"", "\"ts\"", "\"\\u0075id\"", "\"t\\u0073\""]).prop_map(String::from)
    ];
    let space = prop_oneof![9 => Just(""), 1 => Just(" "), 1 => Just("\n\t")];
    let leaf = prop_oneof![
        text,
        prop::sample::select(vec!["true", "false", "null", "5", "-0", "1468244384", "0.63558", "1e999"])
            .prop_map(String::from),
    ];
    let members = {
        let (name, space) = (name.clone(), space.clone());
        move |value: BoxedStrategy<String>| {
            prop::collection::vec((name.clone(), space.clone(), value), 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, space, value)| format!("{space}{name}{space}:{space}{value}")).collect();
                format!("{{{}}}", members.join(","))
            })
        }
    };
    let value = leaf.prop_recursive(5, 60, 6, {
        let members = members.clone();
        move |value| {
            prop_oneof![
                prop::collection::vec(value.clone(), 0..6).prop_map(|values| format!("[{}]", values.join(" ,"))),
                members(value.boxed()),
            ]
        }
    });
    members(value.boxed())
}
