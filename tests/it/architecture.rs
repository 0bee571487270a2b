//! Checks the layers of the program: imports point down only, commands do not import each other, and no modules import
//! each other in a cycle. Cargo decides which crates may import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::visit::{self, Visit};

/// The layers from the top. Modules of one layer do not import each other.
const FLOORS: [&[&str]; 8] = [
    &["commands"],
    &["bench", "race"],
    &["verification"],
    &["count"],
    &["kafka"],
    &["input", "output"],
    &["engine"],
    &["cli", "record", "system", "terminal"],
];

/// The path of a module from the root of its crate, and the modules that it imports.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Collects the paths in `use` items and in the code, as they are written.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            _ => &Vec::new(),
        };
        let test = |attribute: &syn::Attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("test");
        if !attributes.iter().any(test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(super)` imports nothing.
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

impl Paths {
    fn tree(&mut self, tree: &syn::UseTree, above: &[String]) {
        let with = |name: &syn::Ident| [above, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.0.push(with(&name.ident)),
            syn::UseTree::Rename(name) => self.0.push(with(&name.ident)),
            syn::UseTree::Glob(_) => self.0.push(above.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, above)),
        }
    }
}

/// Every module below `root`, without tests.
fn modules(root: &Path) -> BTreeMap<Vec<String>, syn::File> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && !stem.ends_with("tests") && stem != "main" {
                let below = path.strip_prefix(root).unwrap().with_extension("");
                let mut name: Vec<String> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
                name.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
                found.insert(name, syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap());
            }
        }
    }
    assert!(found.len() > 3, "{} has no sources", root.display());
    found
}

fn imports(root: &str) -> Imports {
    let modules = modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join(root));
    let of = |(name, file): (&Vec<String>, &syn::File)| {
        let mut paths = Paths::default();
        paths.visit_file(file);
        let absolute = |path: Vec<String>| match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("super") => {
                let up = path.iter().take_while(|part| *part == "super").count();
                [&name[..name.len().saturating_sub(up)], &path[up..]].concat()
            }
            Some("self") => [name, &path[1..]].concat(),
            _ => [&name[..], &path[..]].concat(),
        };
        let module = |path: Vec<String>| {
            (1..=path.len()).rev().map(|len| path[..len].to_vec()).find(|it| modules.contains_key(it))
        };
        let found = paths.0.into_iter().map(absolute).filter_map(module).filter(|it| it != name).collect();
        (name.clone(), found)
    };
    modules.iter().map(of).collect()
}

fn floor(module: &[String]) -> usize {
    let top = module.first().expect("the root imports nothing");
    let found = FLOORS.iter().position(|floor| floor.contains(&top.as_str()));
    found.unwrap_or_else(|| panic!("{top} is on no floor"))
}

#[test]
fn imports_point_down_only() {
    for (module, imported) in imports("src").iter().filter(|(module, _)| !module.is_empty()) {
        for other in imported.iter().filter(|other| other[0] != module[0]) {
            assert!(floor(module) < floor(other), "{module:?} imports {other:?}");
        }
    }
}

#[test]
fn commands_do_not_import_each_other() {
    for (module, imported) in imports("src").iter().filter(|(module, _)| module.len() > 1 && module[0] == "commands") {
        for other in imported.iter().filter(|other| other.len() > 1 && other[0] == "commands") {
            let shared = ["session", "exit_status"].contains(&other[1].as_str());
            assert!(shared || other[1] == module[1], "{module:?} imports {other:?}");
        }
    }
}

#[test]
fn the_truth_and_the_counter_share_nothing() {
    let imports = imports("crates/core/src");
    let within = |module: &[String], name: &str| module.first().is_some_and(|top| top == name);
    for (module, imported) in &imports {
        for other in imported {
            assert!(!(within(module, "truth") && within(other, "counter")), "{module:?} imports {other:?}");
            assert!(!(within(module, "counter") && within(other, "truth")), "{module:?} imports {other:?}");
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    for root in ["crates/frame/src", "crates/core/src", "crates/formats/src", "src"] {
        let mut left = imports(root);
        // Removes modules whose imports are all removed; the rest is in a cycle, or imports one.
        while let Some(settled) = left
            .iter()
            .find(|(_, imported)| imported.iter().all(|it| !left.contains_key(it)))
            .map(|(name, _)| name.clone())
        {
            left.remove(&settled);
        }
        // Removes modules that no remaining module imports: they are above a cycle.
        while let Some(above) =
            left.keys().find(|name| !left.values().any(|imported| imported.contains(*name))).cloned()
        {
            left.remove(&above);
        }
        let within: BTreeSet<_> = left.keys().cloned().collect();
        left.values_mut().for_each(|imported| imported.retain(|it| within.contains(it)));
        let lines = left.iter().map(|(module, imported)| {
            let imported: Vec<_> = imported.iter().map(|it| it.join("/")).collect();
            format!("{} imports {}", module.join("/"), imported.join(", "))
        });
        assert!(left.is_empty(), "{root}: in a circle:\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
}

/// The text of a file or of every file in a folder, below `src`.
fn code(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
    let files = if path.is_dir() {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
    } else {
        vec![path]
    };
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn latencies_are_taken_on_a_clock_that_nobody_sets() {
    for path in ["bench/live.rs", "bench/catch_up.rs", "kafka/consume/reader.rs", "engine/run.rs", "engine/run"] {
        for clock in ["now_us", "SystemTime"] {
            assert!(!code(path).contains(clock), "{path} asks {clock}");
        }
    }
}
