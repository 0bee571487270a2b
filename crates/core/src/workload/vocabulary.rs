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

/// The length of a table of choices. It is a power of two, as those of tokens are: a remainder then costs less than a
/// check that an index is in range.
const CHOICES: usize = 4_096;

/// All of them, and the first one again up to the length of the table.
fn padded<T: Copy, const N: usize>(all: &[T]) -> [T; N] {
    assert!(all.len() <= N, "{} of {N}", all.len());
    std::array::from_fn(|i| all[if i < all.len() { i } else { 0 }])
}

/// A value of at most 63 bytes, and its length in the last byte.
fn value(text: &str) -> [u8; 64] {
    let mut bytes = [b' '; 64];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes[63] = text.len() as u8;
    bytes
}

/// Keys with the commas before them and the colons after, and how likely each is.
pub(super) struct Keys {
    /// One for each byte: an index needs no check.
    tokens: [Token<24>; 256],
    /// For each choice, the number of its key.
    choices: [u8; CHOICES],
    /// Number of choices.
    count: usize,
}

impl Keys {
    fn new<'a>(shares: impl Iterator<Item = (&'a str, usize)>) -> Keys {
        let (mut tokens, mut choices) = (Vec::new(), Vec::new());
        for (i, (word, times)) in (0..).zip(shares) {
            tokens.push(Token::new(&format!(",\"{word}\":")));
            choices.extend(std::iter::repeat_n(i, times));
        }
        Keys { tokens: padded(&tokens), choices: padded(&choices), count: choices.len() }
    }

    /// Only the comma: elements of an array have no keys.
    fn none() -> Keys {
        Keys { tokens: padded(&[Token::new(",")]), choices: padded(&[0]), count: 1 }
    }

    /// The key that the lowest 24 bits choose.
    #[inline(always)]
    pub(super) fn choose(&self, chance: u64) -> &Token<24> {
        let choice = ((chance & 0xff_ffff) * self.count as u64) >> 24;
        &self.tokens[usize::from(self.choices[choice as usize % CHOICES])]
    }
}

/// How a value is chosen from [`Vocabulary::choices`], without a branch.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// 24 random bits are scaled by this,
    scale: u32,
    /// of the result these bits count,
    mask: u16,
    /// and the choices of this kind begin here; or it is one of the numbers below.
    first: u16,
}

impl Kind {
    /// Kinds that no token has: [`Kind::number`].
    pub(super) const FRACTION: u16 = u16::MAX;
    pub(super) const ARRAY: u16 = u16::MAX - 1;
    pub(super) const OBJECT: u16 = u16::MAX - 2;

    const fn without_token(first: u16) -> Kind {
        Kind { scale: 0, mask: 0, first }
    }

    /// What a value of this kind holds others in.
    #[inline(always)]
    pub(super) fn container(&self) -> Option<Container> {
        let is_container = (Kind::OBJECT..=Kind::ARRAY).contains(&self.first);
        is_container.then_some(Container(self.first == Kind::OBJECT))
    }

    /// The number of a kind whose values are no tokens.
    #[inline(always)]
    pub(super) fn number(&self) -> Option<u16> {
        (self.first >= Kind::OBJECT).then_some(self.first)
    }
}

/// An array, or an object if true. What differs between them is looked up: a branch would often be mispredicted.
#[derive(Clone, Copy)]
pub(super) struct Container(bool);

impl Container {
    pub(super) const OBJECT: Container = Container(true);

    /// The first byte and the last one.
    #[inline(always)]
    pub(super) fn brackets(self) -> [u8; 2] {
        [*b"[]", *b"{}"][usize::from(self.0)]
    }
}

/// The tables that choices are looked up in: what is likelier stands there more often.
pub(super) struct Vocabulary {
    /// Keys of members of the root, where `uid` and `ts` do not occur.
    pub(super) root_keys: Keys,
    /// What stands before an element of an array; then keys of members of inner objects, a sixth of which are called `uid`
    /// or `ts`.
    inner_keys: [Keys; 2],
    /// The kinds of values.
    pub(super) kinds: [Kind; 512],
    /// The same where no array or object has room for anything: it is a token too.
    pub(super) flat_kinds: [Kind; 512],
    /// Strings with their quotes, `0` to `255`, `false` and `true`, `[]` and `{}`. As long as an index of 16 bits and a token
    /// need, so that none is checked.
    tokens: Box<[u8; (1 << 16) + 64]>,
    /// For each choice, where its token begins.
    choices: [u16; CHOICES],
    /// `000` to `999`, each with the number of digits before the zeros at its end.
    pub(super) digits: Vec<[u8; 4]>,
}

impl Vocabulary {
    pub(super) fn new() -> Vocabulary {
        let words = |times| WORDS.split_ascii_whitespace().map(move |word| (word, times));
        let (mut tokens, mut choices) = (Vec::<u8>::new(), Vec::new());
        let mut token = |text: &str, times| {
            choices.extend(std::iter::repeat_n(tokens.len() as u16, times));
            tokens.extend_from_slice(&value(text));
        };
        // 13 x 216 of the one, 24 x 13 of the other.
        ENGLISH.iter().for_each(|text| token(text, 216));
        RUSSIAN.iter().for_each(|text| token(text, 13));
        (0..256).for_each(|number| token(&number.to_string(), 1));
        ["true", "false", "[]", "{}"].iter().for_each(|text| token(text, 1));
        let strings = (choices.len() - 260) as u16;
        let as_they_are = |mask, first| Kind { scale: 1 << 24, mask, first };
        let kind = |i, array, object| match i {
            0..340 => Kind { scale: strings.into(), mask: u16::MAX, first: 0 },
            340..360 => as_they_are(1, strings + 256),
            360..381 => as_they_are(255, strings),
            381..402 => Kind::without_token(Kind::FRACTION),
            402..452 => array,
            _ => object,
        };
        let (array, object) = (Kind::without_token(Kind::ARRAY), Kind::without_token(Kind::OBJECT));
        let (no_array, no_object) = (as_they_are(0, strings + 258), as_they_are(0, strings + 259));
        let digit = |i: u16| b'0' + (i % 10) as u8;
        let significant = |i: u16| [1000, 100, 10].iter().filter(|unit| !i.is_multiple_of(**unit)).count() as u8;
        Vocabulary {
            root_keys: Keys::new(words(1)),
            inner_keys: [Keys::none(), Keys::new(words(49).chain([("uid", 337), ("ts", 337)]))],
            kinds: std::array::from_fn(|i| kind(i, array, object)),
            flat_kinds: std::array::from_fn(|i| kind(i, no_array, no_object)),
            tokens: Box::new(padded(&tokens)),
            choices: padded(&choices),
            digits: (0..1000).map(|i: u16| [digit(i / 100), digit(i / 10), digit(i), significant(i)]).collect(),
        }
    }

    /// The keys of what an array or object holds.
    #[inline(always)]
    pub(super) fn keys(&self, of: Container) -> &Keys {
        &self.inner_keys[usize::from(of.0)]
    }

    /// The value of a kind that has tokens, by the bits from the 24th on.
    #[inline(always)]
    pub(super) fn choose(&self, kind: &Kind, chance: u64) -> &[u8; 64] {
        let scaled = ((chance >> 24 & 0xff_ffff) * u64::from(kind.scale)) >> 24;
        let choice = usize::from(kind.first) + (scaled & u64::from(kind.mask)) as usize;
        let at = usize::from(self.choices[choice % CHOICES]);
        self.tokens[at..].first_chunk().expect("a token is that long")
    }
}
