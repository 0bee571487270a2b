//! The words, strings and shares of the challenge's original generator, read from frames that it made.
//!
//! Everything is stored as the bytes that a frame has: quoted, escaped, and padded to a fixed length, so that a copy is
//! a few instructions.

/// The keys of its objects: the words of a well-known text, some of which occur twice.
const WORDS: &str = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt \
ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut \
aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu \
fugiat nulla pariatur. Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit \
anim est laborum.";

/// Its strings that are ASCII, as JSON text: most have an escape between two words.
const ENGLISH: [&str; 13] = [
    r#""D allows writing large code fragments without redundantly""#,
    r#""specifying\"types,\"like\"dynamic\"languages\"do.\"On\"the""#,
    r#""other\\hand,\\static\\inference\\deduces\\types\\and\\other""#,
    r#""code/properties,/giving/the/best/of/both/the""#,
    r#""static\band\bthe\bdynamic\bworlds.\bShow\bexample\bAutomatic""#,
    r#""memory\fmanagement\fmakes\ffor\fsafe,\fsimple,\fand\frobust""#,
    r#""code.\nD\nalso\nsupports\nscoped\nresource\nmanagement\n(aka""#,
    r#""the\rRAII\ridiom)\rand\rscope\rstatements\rfor\rdeterministic""#,
    r#""transactional\tcode\tthat\tis\teasy\tto\twrite\tand""#,
    r#""read. Show example Built-in linear and associative arrays,""#,
    r#""slices,\"and\"ranges\"make\"daily\"programming\"simple\"and""#,
    r#""pleasant\\for\\tasks,\\both\\small\\and\\large.\\Show""#,
    r#""example""#,
];

/// Its strings in two bytes a letter: a tenth of all strings.
const RUSSIAN: [&str; 24] = [
    r#""В те дни, когда мне были новы""#,
    r#""Все впечатленья бытия -""#,
    r#""И взоры дев, и шум дубровы,""#,
    r#""И ночью пенье соловья,-""#,
    r#""Когда возвышенные чувства,""#,
    r#""Свобода, слава и любовь""#,
    r#""И вдохновенные искусства""#,
    r#""Так сильно волновали кровь,-""#,
    r#""Часы надежд и наслаждений""#,
    r#""Тоской внезапной осеня,""#,
    r#""Тогда какой-то злобный гений""#,
    r#""Стал тайно навещать меня.""#,
    r#""Печальны были наши встречи:""#,
    r#""Его улыбка, чудный взгляд,""#,
    r#""Его язвительные речи""#,
    r#""Вливали в душу хладный яд.""#,
    r#""Неистощимой клеветою""#,
    r#""Он провиденье искушал;""#,
    r#""Он звал прекрасное мечтою;""#,
    r#""Он вдохновенье презирал;""#,
    r#""Не верил он любви, свободе;""#,
    r#""На жизнь насмешливо глядел -""#,
    r#""И ничего во всей природе""#,
    r#""Благословить он не хотел.""#,
];

/// Text of at most `N` bytes.
#[derive(Clone, Copy)]
pub(super) struct Token<const N: usize> {
    pub(super) bytes: [u8; N],
    pub(super) len: usize,
}

impl<const N: usize> Token<N> {
    fn new(text: &str) -> Token<N> {
        let mut bytes = [b' '; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Token { bytes, len: text.len() }
    }
}

/// What a value is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    String,
    Bool,
    Integer,
    Fraction,
    Array,
    Object,
}

/// The tables that choices are looked up in: what is likelier stands there more often.
pub(super) struct Vocabulary {
    /// `,"word":`, for members of the root, where `uid` and `ts` do not occur.
    pub(super) root_keys: Vec<Token<24>>,
    /// The same for members of inner objects, a sixth of which are called `uid` or `ts`.
    pub(super) keys: Vec<Token<24>>,
    /// Strings with their quotes.
    pub(super) strings: Vec<Token<64>>,
    /// For each choice, the number of its string.
    pub(super) choices: Vec<u8>,
    /// The kinds of values.
    pub(super) kinds: [Kind; 512],
    /// `0` to `255`.
    pub(super) integers: Vec<Token<4>>,
    /// `000` to `999`.
    pub(super) digits: Vec<[u8; 3]>,
}

impl Vocabulary {
    pub(super) fn new() -> Vocabulary {
        let key = |word: &str| Token::new(&format!(",\"{word}\":"));
        let root_keys: Vec<_> = WORDS.split_ascii_whitespace().map(key).collect();
        let repeat = |word: &'static str, times| std::iter::repeat_n(word, times);
        let keys = WORDS.split_ascii_whitespace().flat_map(|word| repeat(word, 49));
        let keys = keys.chain(repeat("uid", 337)).chain(repeat("ts", 337)).map(key).collect();
        let strings = ENGLISH.iter().chain(&RUSSIAN).map(|text| Token::new(text)).collect();
        // 13 x 216 of the one, 24 x 13 of the other.
        let times = |i: u8| if usize::from(i) < ENGLISH.len() { 216 } else { 13 };
        let all = (ENGLISH.len() + RUSSIAN.len()) as u8;
        let choices = (0..all).flat_map(|i| std::iter::repeat_n(i, times(i))).collect();
        let kinds = std::array::from_fn(|i| match i {
            0..340 => Kind::String,
            340..360 => Kind::Bool,
            360..381 => Kind::Integer,
            381..402 => Kind::Fraction,
            402..452 => Kind::Array,
            _ => Kind::Object,
        });
        let integers = (0..256).map(|i: u16| Token::new(&i.to_string())).collect();
        let digit = |i: u16| b'0' + (i % 10) as u8;
        let digits = (0..1000).map(|i: u16| [digit(i / 100), digit(i / 10), digit(i)]).collect();
        Vocabulary { root_keys, keys, strings, choices, kinds, integers, digits }
    }
}
