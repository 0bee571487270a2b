//! Plots of lines as SVG. Colours are classes, so that the page's style sheet follows light and dark.

use super::scale::Scale;
use maud::{Markup, html};

/// The size of every picture, in its own units: on a phone a unit is three quarters of a pixel.
pub(super) const WIDTH: f64 = 480.0;
/// Number of styles of lines and bars.
const STYLES: usize = 8;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const HEIGHT: f64 = 210.0;
const LEGEND_ROW: f64 = 20.0;
/// How wide a letter is, about.
const LETTER: f64 = 7.6;

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    /// From point to point.
    Line,
    /// Each value holds until the next.
    Steps,
    /// Points alone.
    Dots,
}

/// One line of a plot.
pub(super) struct PlotLine {
    pub name: String,
    pub stroke: Stroke,
    /// What stands across, and what stands up.
    pub points: Vec<Point>,
}

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

/// An axis of a plot.
pub(super) struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    pub scale: Scale,
    /// The text of a value on it.
    pub words: fn(f64) -> String,
}

/// A plot of lines.
pub(super) struct Plot {
    /// An id that nothing else on the page has.
    pub id: String,
    pub title: String,
    /// What a reader sees in it, in a sentence or two.
    pub sees: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<PlotLine>,
}

/// The class of the style with this number.
pub(super) fn style(number: usize) -> String {
    format!("s{}", number % STYLES)
}

/// Text that fits into a picture: what is cut off stands in the table beside it.
pub(super) fn fitting(text: &str, width: f64) -> String {
    let most = (width / LETTER).max(2.0) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A number for an attribute.
pub(super) fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl Plot {
    /// The plot, with its title and description for those who do not see it.
    pub fn draw(&self) -> Markup {
        let columns = self.legend_columns();
        let rows = self.lines.len().div_ceil(columns);
        let top = rows as f64 * LEGEND_ROW + 34.0;
        let whole = top + HEIGHT + 51.0;
        let (title, sees) = (format!("{}-title", self.id), format!("{}-sees", self.id));
        html! {
            svg.plot id=(self.id) viewBox=(format!("0 0 {WIDTH} {}", at(whole))) role="img"
                aria-labelledby=(title) aria-describedby=(sees) {
                title id=(title) { (self.title) }
                desc id=(sees) { (self.sees) }
                (self.legend(columns))
                (self.grid(top))
                @for (number, line) in self.lines.iter().enumerate() {
                    (self.line(number, line, top))
                }
            }
        }
    }

    fn legend_columns(&self) -> usize {
        let longest = self.lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(1);
        let columns = (WIDTH / (longest as f64 * LETTER + 44.0)) as usize;
        columns.clamp(1, 4)
    }

    fn legend(&self, columns: usize) -> Markup {
        let width = WIDTH / columns as f64;
        html! {
            @for (number, line) in self.lines.iter().enumerate() {
                @let (x, y) = ((number % columns) as f64 * width, (number / columns) as f64 * LEGEND_ROW + 10.0);
                g class=(style(number)) {
                    @if line.stroke == Stroke::Dots {
                        circle.dot cx=(at(x + 15.0)) cy=(at(y)) r="4" {}
                    } @else {
                        line.line x1=(at(x + 2.0)) y1=(at(y)) x2=(at(x + 28.0)) y2=(at(y)) {}
                    }
                }
                text.key x=(at(x + 34.0)) y=(at(y + 5.0)) { (fitting(&line.name, width - 40.0)) }
            }
        }
    }

    fn grid(&self, top: f64) -> Markup {
        let (bottom, right) = (top + HEIGHT, WIDTH - RIGHT);
        html! {
            text.label x="0" y=(at(top - 12.0)) { (self.y.label) }
            @for value in self.y.scale.ticks() {
                @let y = self.y_of(value, top);
                line.grid x1=(at(LEFT)) y1=(at(y)) x2=(at(right)) y2=(at(y)) {}
                text.tick x=(at(LEFT - 6.0)) y=(at(y + 5.0)) text-anchor="end" { ((self.y.words)(value)) }
            }
            @for value in self.x.scale.ticks() {
                @let x = self.x_of(value);
                line.grid x1=(at(x)) y1=(at(top)) x2=(at(x)) y2=(at(bottom)) {}
                text.tick x=(at(x.min(WIDTH - 18.0))) y=(at(bottom + 22.0)) text-anchor="middle" { ((self.x.words)(value)) }
            }
            line.axis x1=(at(LEFT)) y1=(at(bottom)) x2=(at(right)) y2=(at(bottom)) {}
            text.label x=(at(right)) y=(at(bottom + 43.0)) text-anchor="end" { (self.x.label) }
        }
    }

    fn line(&self, number: usize, line: &PlotLine, top: f64) -> Markup {
        let places: Vec<(f64, f64)> =
            line.points.iter().map(|point| (self.x_of(point.x), self.y_of(point.y, top))).collect();
        html! {
            g class=(style(number)) {
                @match line.stroke {
                    Stroke::Dots => {
                        @for (x, y) in &places { circle.dot cx=(at(*x)) cy=(at(*y)) r="3.5" {} }
                    }
                    Stroke::Line => { path.line d=(path(&places, false)) {} }
                    Stroke::Steps => { path.line d=(path(&places, true)) {} }
                }
            }
        }
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.scale.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, value: f64, top: f64) -> f64 {
        top + (1.0 - self.y.scale.place(value)) * HEIGHT
    }
}

/// A path through places; in steps, a value holds until the next one.
fn path(places: &[(f64, f64)], in_steps: bool) -> String {
    let mut text = String::new();
    for (number, (x, y)) in places.iter().enumerate() {
        text += &match number {
            0 => format!("M{} {}", at(*x), at(*y)),
            _ if in_steps => format!("H{}V{}", at(*x), at(*y)),
            _ => format!("L{} {}", at(*x), at(*y)),
        };
    }
    // A single point would be invisible.
    if places.len() == 1 { text + "h1" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let places = [(1.0, 2.0), (3.04, 4.0), (5.0, 6.5)];
        assert_eq!(path(&places, false), "M1 2L3 4L5 6.5");
        assert_eq!(path(&places, true), "M1 2H3V4H5V6.5");
        assert_eq!((path(&places[..1], true), path(&[], false)), ("M1 2h1".into(), String::new()));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(fitting("kafka-streams", 200.0), "kafka-streams");
        assert_eq!(fitting("kafka-streams", 76.0), "kafka-str…");
        assert_eq!(fitting("ab", 0.0), "ab");
    }
}
