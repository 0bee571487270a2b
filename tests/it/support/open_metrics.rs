//! A strict reader of OpenMetrics 1.0 text, written from the specification: <https://github.com/OpenObservability/OpenMetrics>,
//! "Text format". It requires what the specification says SHOULD be. Of records it takes gauges, infos and summaries, with
//! labels and a time each; of a running program counters and histograms too, without a time.

use std::collections::{BTreeMap, BTreeSet};

/// A sample, and the family that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub family: String,
    pub kind: String,
    pub unit: String,
    /// The whole name, with its suffix.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
    /// In Unix seconds; none in the text of a running program.
    pub at: Option<f64>,
}

/// Reads an exposition of records.
///
/// # Errors
/// The line that breaks a rule, and the rule.
pub fn read(text: &str) -> Result<Vec<Sample>, String> {
    read_by(Reader::default(), text)
}

/// Reads the exposition of a running program.
///
/// # Errors
/// The line that breaks a rule, and the rule.
pub fn read_live(text: &str) -> Result<Vec<Sample>, String> {
    let samples = read_by(Reader { is_live: true, ..Reader::default() }, text)?;
    histograms(&samples)?;
    Ok(samples)
}

fn read_by(mut reader: Reader, text: &str) -> Result<Vec<Sample>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end with `# EOF` and a line end")?;
    if text.contains('\r') || text.starts_with('\u{feff}') {
        return Err("there is a carriage return or a byte order mark".into());
    }
    for line in body.split_terminator('\n') {
        reader.line(line).map_err(|rule| format!("{rule}: {line}"))?;
    }
    reader.end_of_family()?;
    Ok(reader.samples)
}

#[derive(Default)]
struct Reader {
    /// Whether a running program wrote it.
    is_live: bool,
    /// Families that are complete, or begun.
    seen: BTreeSet<String>,
    /// The metadata of the family at hand: TYPE, UNIT, HELP.
    metadata: BTreeMap<String, String>,
    family: String,
    /// Metrics of this family that are complete, and the one at hand; a metric has one point here.
    metrics: BTreeSet<BTreeMap<String, String>>,
    metric: Option<BTreeMap<String, String>>,
    /// Names and labels of all samples.
    lines: BTreeSet<(String, BTreeMap<String, String>)>,
    samples: Vec<Sample>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        match line.strip_prefix("# ") {
            Some(metadata) => self.metadata(metadata),
            None if line.is_empty() => Err("an empty line".into()),
            None if line.starts_with('#') => Err("a comment".into()),
            None => self.sample(line),
        }
    }

    fn metadata(&mut self, line: &str) -> Result<(), String> {
        let mut parts = line.splitn(3, ' ');
        let (Some(what), Some(name), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("metadata of three words".into());
        };
        is_name(name)?;
        // Each writer has an order of its own; the specification has none.
        let order = if self.is_live { ["HELP", "TYPE", "UNIT"] } else { ["TYPE", "UNIT", "HELP"] };
        if what == order[0] {
            self.end_of_family()?;
            if !self.seen.insert(name.to_owned()) {
                return Err("a family in two pieces".into());
            }
            self.family = name.to_owned();
        }
        let types: &[&str] =
            if self.is_live { &["counter", "gauge", "histogram", "info"] } else { &["gauge", "info", "summary"] };
        if what == "TYPE" && !types.contains(&value) {
            return Err("an unknown type".into());
        }
        let place = order.iter().position(|it| *it == what).ok_or("a comment")?;
        let after = order.iter().skip(place + 1).any(|it| self.metadata.contains_key(*it));
        if name != self.family || after || self.metric.is_some() {
            return Err("metadata out of order".into());
        }
        if what == "UNIT" && !name.ends_with(&format!("_{value}")) {
            return Err("a unit that does not end the name".into());
        }
        if what == "HELP" {
            unescaped(value)?;
        }
        match self.metadata.insert(what.to_owned(), value.to_owned()) {
            Some(_) => Err("metadata twice".into()),
            None => Ok(()),
        }
    }

    fn end_of_family(&mut self) -> Result<(), String> {
        let name = std::mem::take(&mut self.family);
        if !name.is_empty() && self.metric.is_none() {
            return Err(format!("{name} has no samples"));
        }
        self.metadata.clear();
        self.metrics.clear();
        self.metric = None;
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let open = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(open);
        is_name(name)?;
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None if self.is_live => (BTreeMap::new(), rest),
            None => return Err("no labels".into()),
        };
        let numbers: Vec<&str> = rest.strip_prefix(' ').ok_or("no space after the labels")?.split(' ').collect();
        let (value, at) = match (&numbers[..], self.is_live) {
            (&[value], true) => (value, None),
            (&[value, at], false) => (value, Some(number(at)?)),
            (_, true) => return Err("not one value".into()),
            (_, false) => return Err("not one value and one time".into()),
        };
        let suffix = name.strip_prefix(&self.family).filter(|_| !self.family.is_empty());
        let suffix = suffix.ok_or("a sample of another family")?;
        let kind = self.metadata.get("TYPE").ok_or("no type")?.clone();
        let parsed = number(value)?;
        check(&kind, suffix, &labels, value, parsed)?;
        let metric: BTreeMap<_, _> =
            labels.iter().filter(|(label, _)| !["le", "quantile"].contains(&label.as_str())).collect();
        let metric = metric.into_iter().map(|(label, value)| (label.clone(), value.clone())).collect();
        if self.metric.as_ref() != Some(&metric) {
            if let Some(done) = self.metric.replace(metric.clone()) {
                self.metrics.insert(done);
            }
            if self.metrics.contains(&metric) {
                return Err("a metric in two pieces".into());
            }
        }
        if !self.lines.insert((name.to_owned(), labels.clone())) {
            return Err("a sample twice".into());
        }
        let unit = self.metadata.get("UNIT").cloned().unwrap_or_default();
        self.samples.push(Sample {
            family: self.family.clone(),
            kind,
            unit,
            name: name.into(),
            labels,
            value: parsed,
            at,
        });
        Ok(())
    }
}

/// The rules of the types.
fn check(kind: &str, suffix: &str, labels: &BTreeMap<String, String>, text: &str, value: f64) -> Result<(), String> {
    let quantile = labels.get("quantile").map(|text| number(text)).transpose()?;
    let is_count = text.bytes().all(|byte| byte.is_ascii_digit());
    match (kind, suffix, quantile) {
        ("gauge", "", None) => Ok(()),
        ("counter", "_total", None) if value >= 0.0 => Ok(()),
        ("histogram", "_bucket", None) if bound(labels).is_some() && is_count => Ok(()),
        ("histogram", "_count", None) if is_count => Ok(()),
        ("histogram", "_sum", None) => Ok(()),
        ("info", "_info", None) if text == "1" => Ok(()),
        ("summary", "", Some(quantile)) if (0.0..=1.0).contains(&quantile) && value >= 0.0 => Ok(()),
        ("summary", "_count", None) if is_count => Ok(()),
        ("summary", "_sum", None) if value >= 0.0 => Ok(()),
        _ => Err(format!("no sample of type {kind}")),
    }
}

/// The upper bound of a bucket.
fn bound(labels: &BTreeMap<String, String>) -> Option<f64> {
    match labels.get("le")?.as_str() {
        "+Inf" => Some(f64::INFINITY),
        text => number(text).ok(),
    }
}

/// The buckets of each histogram, which has no labels here: their bounds rise, their counts do not fall, and the last one
/// has all.
fn histograms(samples: &[Sample]) -> Result<(), String> {
    let families: BTreeSet<_> = samples.iter().filter(|it| it.kind == "histogram").map(|it| &it.family).collect();
    for family in families {
        let of = |suffix: &str| {
            let name = format!("{family}{suffix}");
            samples.iter().filter(move |it| it.name == name)
        };
        let buckets: Vec<_> = of("_bucket").filter_map(|it| Some((bound(&it.labels)?, it.value))).collect();
        let rise = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let count = of("_count").map(|it| it.value).next();
        if !rise
            || buckets.last().map(|last| last.0) != Some(f64::INFINITY)
            || buckets.last().map(|last| last.1) != count
        {
            return Err(format!("buckets of {family} that do not add up"));
        }
    }
    Ok(())
}

fn is_name(text: &str) -> Result<(), String> {
    let fine = |at: usize, c: char| c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit());
    let is_fine = !text.is_empty() && text.chars().enumerate().all(|(at, c)| fine(at, c));
    if is_fine { Ok(()) } else { Err(format!("`{text}` is no name")) }
}

/// `realnumber` of the grammar.
fn number(text: &str) -> Result<f64, String> {
    let is_fine = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.chars().all(|c| c.is_ascii_digit() || ".e+-".contains(c));
    text.parse().ok().filter(|_| is_fine).ok_or_else(|| format!("`{text}` is no number"))
}

/// The labels up to the closing brace, and what follows.
fn labels(text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let (mut all, mut rest) = (BTreeMap::new(), text);
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        is_name(name)?;
        // The first quote behind an even number of backslashes.
        let mut is_escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends
        });
        let end = end.ok_or("a label without an end")?;
        if all.insert(name.to_owned(), unescaped(&after[..end])?).is_some() {
            return Err("a label twice".into());
        }
        match after[end + 1..].split_at_checked(1) {
            Some((",", next)) => rest = next,
            Some(("}", next)) => return Ok((all, next)),
            _ => return Err("neither a comma nor a brace after a label".into()),
        }
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some(c @ ('\\' | '"')) => c,
                _ => return Err("an unknown escape".into()),
            },
            '"' => return Err("a quote that is not escaped".into()),
            c => c,
        });
    }
    Ok(plain)
}

#[test]
fn it_is_strict() {
    let head = "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds Words.\n";
    let read_of = |lines: &str| read(&format!("{head}{lines}# EOF\n"));
    let samples = read_of("a_seconds{l=\"x\\\"\\\\\\n,}\",m=\"\"} 1.5e-3 12\n").unwrap();
    assert_eq!((samples[0].value, samples[0].at, samples[0].unit.as_str()), (0.0015, Some(12.0), "seconds"));
    assert_eq!(samples[0].labels["l"], "x\"\\\n,}");
    for (lines, rule) in [
        ("", "has no samples"),
        ("a_seconds 1 1\n", "no labels"),
        ("a_seconds_total{l=\"x\"} 1 1\n", "no sample of type gauge"),
        ("b{l=\"x\"} 1 1\n", "a sample of another family"),
        ("a_seconds{l=\"x\"} NaN 1\n", "`NaN` is no number"),
        ("a_seconds{l=\"x\"} 1\n", "not one value and one time"),
        ("a_seconds{l=\"x\",} 1 1\n", "a label without a value"),
        ("a_seconds{l=\"\\x\"} 1 1\n", "an unknown escape"),
        ("a_seconds{l=\"x\",l=\"y\"} 1 1\n", "a label twice"),
        ("a_seconds{l=\"x\"} 1 1\na_seconds{l=\"x\"} 1 2\n", "a sample twice"),
        ("a_seconds{l=\"x\"} 1 1\n\n", "an empty line"),
        ("a_seconds{l=\"x\"} 1 1\n# words\n", "metadata of three words"),
        ("a_seconds{l=\"x\"} 1 1\n# HELP a_seconds Again.\n", "metadata out of order"),
        ("a_seconds{l=\"x\"} 1 1\n# TYPE a_seconds gauge\n", "a family in two pieces"),
        ("a_seconds{l=\"x\"} 1 1\n# TYPE b counter\n", "an unknown type"),
        ("a_seconds{l=\"x\"} 1 1\n# TYPE b gauge\n# UNIT b bytes\n", "a unit that does not end the name"),
        ("a_seconds{l=\"x\"} 1 1\n# TYPE b info\nb_info{l=\"x\"} 2 1\n", "no sample of type info"),
        ("a_seconds{l=\"x\"} 1 1\n# TYPE b summary\nb{quantile=\"2\"} 2 1\n", "no sample of type summary"),
        (
            "a_seconds{l=\"x\"} 1 1\n# TYPE b summary\nb_sum{l=\"x\"} 1 1\nb_sum{l=\"y\"} 1 1\nb_count{l=\"x\"} 1 1\n",
            "a metric in two pieces",
        ),
    ] {
        let said = read_of(lines).unwrap_err();
        assert!(said.contains(rule), "{lines}{said}");
    }
    assert!(read(&format!("{head}a_seconds{{l=\"x\"}} 1 1\n")).is_err());
}

#[test]
fn it_is_strict_with_a_running_program() {
    let head = "# HELP a Words.\n# TYPE a counter\n";
    let samples = read_live(&format!("{head}a_total{{l=\"x\"}} 1\na_total 2\n# EOF\n")).unwrap();
    assert_eq!((samples[1].name.as_str(), samples[1].value, samples[1].at), ("a_total", 2.0, None));
    let buckets = |text: &str| format!("# HELP h Words.\n# TYPE h histogram\n{text}# EOF\n");
    let fine = "h_sum 1.5\nh_count 2\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\n";
    assert_eq!(read_live(&buckets(fine)).unwrap().len(), 4);
    for (text, rule) in [
        (format!("{head}a 1\n# EOF\n"), "no sample of type counter"),
        (format!("{head}a_total -1\n# EOF\n"), "no sample of type counter"),
        (format!("{head}a_total 1 1\n# EOF\n"), "not one value"),
        (format!("{head}# EOF\n"), "a has no samples"),
        ("# HELP a Words.\na_total 1\n# EOF\n".into(), "no type"),
        (format!("{head}a_total 1\n{head}a_total{{l=\"x\"}} 1\n# EOF\n"), "a family in two pieces"),
        (buckets(&fine.replace("h_count 2", "h_count 3")), "buckets of h that do not add up"),
        (buckets(&fine.replace("+Inf", "2.0")), "buckets of h that do not add up"),
        (buckets(&fine.replace("le=\"1.0\"} 1", "le=\"1.0\"} 3")), "buckets of h that do not add up"),
        (buckets(&fine.replace("le=\"1.0\"", "l=\"1.0\"")), "no sample of type histogram"),
    ] {
        let said = read_live(&text).unwrap_err();
        assert!(said.contains(rule), "{text}{said}");
    }
}
