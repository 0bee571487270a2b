//! Colour, where the reader wants it: `NO_COLOR` and `CLICOLOR=0` turn it off, `CLICOLOR_FORCE=1` turns it on where there is
//! no terminal.

use super::Screen;
use console::Style;
use std::env;

/// Whether lines of this screen have colour.
fn is_wanted(screen: Screen) -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let term = if screen.to_stderr { console::Term::stderr() } else { console::Term::stdout() };
    let is_dumb = set("TERM").is_some_and(|value| value == "dumb");
    term.is_term() && !is_dumb && set("CLICOLOR").is_none_or(|value| value != "0")
}

fn painted(screen: Screen, style: Style, text: &str) -> String {
    style.force_styling(is_wanted(screen)).apply_to(text).to_string()
}

/// What is wrong.
pub fn wrong(screen: Screen, text: &str) -> String {
    painted(screen, Style::new().red().bold(), text)
}

/// What is right.
pub fn right(screen: Screen, text: &str) -> String {
    painted(screen, Style::new().green().bold(), text)
}
