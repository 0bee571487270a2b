//! Tables: the same for a reader and for a screen reader.

use maud::{Markup, html};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Words, from the left.
    Words(&'static str),
    /// Numbers, from the right.
    Number(&'static str),
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Words(title) | Column::Number(title) => title,
        }
    }

    fn class(self) -> Option<&'static str> {
        matches!(self, Column::Number(_)).then_some("number")
    }
}

/// A table whose rows each begin with what they are of. It scrolls by itself where the page is narrow.
pub(super) fn table(caption: &str, columns: &[Column], rows: &[Vec<String>]) -> Markup {
    html! {
        div.scroll role="group" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for column in columns {
                            th scope="col" class=[column.class()] { (column.title()) }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr class=[mark(row)] {
                            @for (column, cell) in columns.iter().zip(row).take(1) {
                                th scope="row" class=[column.class()] { (cell) }
                            }
                            @for (column, cell) in columns.iter().zip(row).skip(1) {
                                td class=[column.class()] { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A row that says WRONG is marked.
fn mark(row: &[String]) -> Option<&'static str> {
    row.first().is_some_and(|cell| cell.ends_with(" WRONG")).then_some("wrong")
}

/// The table of a plot with many points: closed until it is asked for, as the plot has it all.
pub(super) fn folded(caption: &str, columns: &[Column], rows: &[Vec<String>]) -> Markup {
    html! {
        details {
            summary { (caption) " as a table" }
            (table(caption, columns, rows))
        }
    }
}
