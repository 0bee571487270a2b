//! A page of HTML as its elements, by a tokenizer that follows the standard; tags that do not nest are refused.

use html5gum::{Token, Tokenizer};
use std::collections::{BTreeMap, BTreeSet};

/// Elements without content.
const VOID: [&str; 6] = ["meta", "link", "br", "hr", "img", "input"];
/// Attributes that make a browser fetch something.
const FETCHING: [&str; 7] = ["src", "href", "xlink:href", "srcset", "data", "action", "poster"];

/// An element, with the text of all that is in it.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
    /// The places of the elements around it, from the outermost.
    pub within: Vec<usize>,
}

/// The elements in the order of their start tags.
pub struct Page {
    pub elements: Vec<Element>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Element {
    /// An attribute; empty if it is not there.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Page {
    /// Reads a page.
    #[track_caller]
    pub fn read(html: &str) -> Page {
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for Ok(token) in Tokenizer::new(html) {
            match token {
                Token::StartTag(tag) => {
                    let name = text(&tag.name);
                    let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value))).collect();
                    elements.push(Element {
                        name: name.clone(),
                        attributes,
                        text: String::new(),
                        within: open.clone(),
                    });
                    if !VOID.contains(&name.as_str()) {
                        open.push(elements.len() - 1);
                    }
                }
                Token::EndTag(tag) => {
                    let closed = open.pop().map(|place| elements[place].name.clone());
                    assert_eq!(closed, Some(text(&tag.name)), "tags do not nest");
                }
                Token::String(words) => open.iter().for_each(|place| elements[*place].text += &text(&words)),
                Token::Doctype(_) => assert!(elements.is_empty()),
                Token::Comment(_) => {}
                Token::Error(error) => panic!("{error:?}"),
            }
        }
        assert!(open.is_empty(), "tags are left open");
        Page { elements }
    }

    /// Every element with this name.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    /// The texts of every element with this name.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.all(name).into_iter().map(|element| element.text.as_str()).collect()
    }

    /// The element with this id.
    #[track_caller]
    pub fn by_id(&self, id: &str) -> &Element {
        self.elements.iter().find(|element| element.attribute("id") == id).unwrap_or_else(|| panic!("no id {id}"))
    }

    /// The rows of the table with this caption, a list of cells each.
    #[track_caller]
    pub fn table(&self, caption: &str) -> Vec<Vec<&str>> {
        let of = self.elements.iter().find(|it| it.name == "caption" && it.text == caption);
        let table = *of.unwrap_or_else(|| panic!("no table {caption}")).within.last().unwrap();
        let rows = (0..self.elements.len()).filter(|at| self.elements[*at].name == "tr");
        let cells = |row: usize| {
            let own = self.elements.iter().filter(|it| ["td", "th"].contains(&it.name.as_str()));
            own.filter(|it| it.within.last() == Some(&row)).map(|it| it.text.as_str()).collect()
        };
        rows.filter(|row| self.elements[*row].within.contains(&table)).map(cells).collect()
    }

    /// Checks what holds for every page: it loads nothing and runs nothing, and those who do not see it have all of it.
    #[track_caller]
    pub fn check(&self) {
        assert!(self.all("script").is_empty() && self.all("iframe").is_empty() && self.all("img").is_empty());
        let mut ids = BTreeSet::new();
        for Element { name, attributes, .. } in &self.elements {
            for (attribute, value) in attributes {
                assert!(!attribute.starts_with("on"), "{name} {attribute}");
                let local = value.starts_with('#') || value == "data:,";
                assert!(local || !FETCHING.contains(&attribute.as_str()), "{name} {attribute}={value}");
            }
            if let Some(id) = attributes.get("id") {
                assert!(ids.insert(id.clone()), "id {id} is there twice");
            }
        }
        for Element { name, attributes, .. } in &self.elements {
            let aria = ["aria-labelledby", "aria-describedby"].into_iter().filter_map(|it| attributes.get(it));
            let links = attributes.get("href").and_then(|link| link.strip_prefix('#'));
            for id in aria.flat_map(|ids| ids.split(' ')).chain(links) {
                assert!(ids.contains(id), "{name}: no id {id}");
            }
        }
        for style in self.texts("style") {
            assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
        }
        self.check_outline();
        self.check_pictures();
        assert_eq!((self.all("html")[0].attribute("lang"), self.all("h1").len(), self.all("main").len()), ("en", 1, 1));
    }

    /// Headings leave out no level.
    fn check_outline(&self) {
        let mut last = 0;
        for element in &self.elements {
            let digit = element.name.strip_prefix('h').and_then(|level| level.parse::<usize>().ok());
            let Some(level) = digit else { continue };
            assert!(level <= last + 1 && !element.text.is_empty(), "{}: {}", element.name, element.text);
            last = level;
        }
    }

    /// Every picture has a title and a description, and stands beside a table; every table has a caption and headings.
    fn check_pictures(&self) {
        for svg in self.all("svg") {
            assert_eq!(svg.attribute("role"), "img");
            for name in ["aria-labelledby", "aria-describedby"] {
                assert!(!self.by_id(svg.attribute(name)).text.is_empty(), "{name}");
            }
            let around = *svg.within.last().unwrap();
            assert_eq!(self.elements[around].name, "figure");
        }
        for at in (0..self.elements.len()).filter(|at| self.elements[*at].name == "table") {
            let inside =
                |name: &str| self.elements.iter().filter(|it| it.name == name && it.within.contains(&at)).count();
            assert!(inside("caption") == 1 && inside("th") > 1, "table {at}");
            let mut scopes = self.elements.iter().filter(|it| it.name == "th" && it.within.contains(&at));
            assert!(scopes.all(|it| ["row", "col"].contains(&it.attribute("scope"))), "table {at}");
        }
    }
}
