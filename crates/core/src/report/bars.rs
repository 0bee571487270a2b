//! Bars with intervals as SVG: a name and its value above each bar, so that both fit on a phone.

use super::plot::{WIDTH, at, fitting, style};
use super::scale::Scale;
use crate::statistics::Interval;
use maud::{Markup, html};

const ROW: f64 = 46.0;
const THICK: f64 = 16.0;

/// One bar.
pub(super) struct Bar {
    pub name: String,
    /// The value in words.
    pub words: String,
    pub value: f64,
    /// Where the true value lies.
    pub interval: Option<Interval>,
    /// What it could be at most.
    pub ceiling: Option<f64>,
    /// The number of its style.
    pub style: usize,
}

/// Bars below each other.
pub(super) struct Bars {
    /// An id that nothing else on the page has.
    pub id: String,
    pub title: String,
    /// What a reader sees in it, in a sentence or two.
    pub sees: String,
    /// What their length is, with its unit.
    pub label: String,
    pub scale: Scale,
    /// The text of a value on the axis.
    pub words: fn(f64) -> String,
    pub bars: Vec<Bar>,
}

impl Bars {
    /// The bars, with title and description for those who do not see them.
    pub fn draw(&self) -> Markup {
        let bottom = self.bars.len() as f64 * ROW + 4.0;
        let (title, sees) = (format!("{}-title", self.id), format!("{}-sees", self.id));
        html! {
            svg.bars id=(self.id) viewBox=(format!("0 0 {WIDTH} {}", at(bottom + 44.0))) role="img"
                aria-labelledby=(title) aria-describedby=(sees) {
                title id=(title) { (self.title) }
                desc id=(sees) { (self.sees) }
                @for value in self.scale.ticks() {
                    @let x = self.x_of(value);
                    line.grid x1=(at(x)) y1="0" x2=(at(x)) y2=(at(bottom)) {}
                    text.tick x=(at(x.clamp(8.0, WIDTH - 16.0))) y=(at(bottom + 17.0)) text-anchor="middle" { ((self.words)(value)) }
                }
                @for (number, bar) in self.bars.iter().enumerate() {
                    (self.bar(bar, number as f64 * ROW))
                }
                line.axis x1=(at(self.x_of(0.0))) y1="0" x2=(at(self.x_of(0.0))) y2=(at(bottom)) {}
                text.label x=(at(WIDTH - 4.0)) y=(at(bottom + 38.0)) text-anchor="end" { (self.label) }
            }
        }
    }

    fn bar(&self, bar: &Bar, top: f64) -> Markup {
        let (left, right, y) = (self.x_of(0.0), self.x_of(bar.value), top + 22.0);
        let room = WIDTH - bar.words.chars().count() as f64 * 8.0 - 16.0;
        html! {
            text.key x=(at(left + 4.0)) y=(at(top + 16.0)) { (fitting(&bar.name, room)) }
            text.value x=(at(WIDTH - 4.0)) y=(at(top + 16.0)) text-anchor="end" { (bar.words) }
            @if let Some(ceiling) = bar.ceiling {
                rect.ceiling x=(at(left)) y=(at(y)) width=(at(self.x_of(ceiling) - left)) height=(at(THICK)) {}
            }
            g class=(style(bar.style)) {
                rect.bar x=(at(left)) y=(at(y)) width=(at((right - left).max(1.0))) height=(at(THICK)) {}
            }
            @if let Some(Interval { low, high }) = bar.interval {
                @let (from, to, middle) = (self.x_of(low), self.x_of(high), y + THICK / 2.0);
                @let whisker = format!("M{0} {2}H{1}M{0} {3}V{4}M{1} {3}V{4}",
                    at(from), at(to), at(middle), at(middle - 5.0), at(middle + 5.0));
                // It stands on its bar and beside it.
                path.halo d=(whisker) {}
                path.interval d=(whisker) {}
            }
        }
    }

    fn x_of(&self, value: f64) -> f64 {
        4.0 + self.scale.place(value) * (WIDTH - 12.0)
    }
}
