//! Which language a file is in, and whether it is vendored or generated: Linguist's strategies in Linguist's order.
//!
//! A strategy narrows a list of candidates; the first that leaves exactly one decides:
//! modeline, file name, shebang, extension, XML declaration, man page section, heuristics, clues, classifier. The table of
//! languages, the heuristics and the path patterns are data that Python loads (codemill/languages); this module
//! compiles them once into a [`Table`] and applies them.
//!
//! Cost: every strategy is linear in what it looks at and looks at a bounded part of the content: the first and last
//! [`modeline::LINES`] lines, the first [`heuristics::CONSIDER`] bytes for patterns and classifier. Only the rules for
//! generated files read more (newlines of JavaScript and CSS; fonts in PostScript), at the speed of memory.
//!
//! From: github-linguist (MIT), lib/linguist/{strategy,shebang,heuristics,generated}; written anew.

mod classifier;
mod clues;
mod generated;
mod heuristics;
mod lines;
mod modeline;
#[cfg(feature = "python")]
pub(crate) mod python;
mod shebang;
mod spec;
mod table;

pub use classifier::{BUCKETS, features};
pub use spec::{Clue, Definition, Disambiguation, Id, Rule, Spec, Unknown};
pub use table::Table;

pub(crate) use generated::by_content;

use clues::Verdict;
use memchr::memmem;

/// The strategy that decided. `Popular` is ours: nothing decided, and the most popular candidate was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// An Emacs or Vim modeline in the first or last lines.
    Modeline,
    /// The exact file name.
    Filename,
    /// The interpreter named after `#!`.
    Shebang,
    /// The file extension.
    Extension,
    /// An XML declaration in the first two lines of a file no other strategy knows.
    Xml,
    /// The extension of a manual page.
    Manpage,
    /// A rule of heuristics.toml.
    Heuristics,
    /// The languages' own patterns (clues.toml).
    Clues,
    /// The token classifier.
    Classifier,
    /// Still ambiguous, and the classifier knows no candidate.
    Popular,
}

impl Strategy {
    /// The name shown to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Modeline => "modeline",
            Self::Filename => "filename",
            Self::Shebang => "shebang",
            Self::Extension => "extension",
            Self::Xml => "xml",
            Self::Manpage => "manpage",
            Self::Heuristics => "heuristics",
            Self::Clues => "clues",
            Self::Classifier => "classifier",
            Self::Popular => "popular",
        }
    }
}

/// What is known of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The language and the strategy that decided; `None`: no strategy knows the file.
    pub language: Option<(Id, Strategy)>,
    /// The path is one of code that a project carries but did not write.
    pub is_vendored: bool,
    /// The path or the content is one of a file written by a program.
    pub is_generated: bool,
}

/// Detects one file. `path` is relative to its repository, `/`-separated; without content, the path alone is used.
pub fn detect(table: &Table, path: &str, content: Option<&[u8]>) -> Detection {
    let data = content.unwrap_or_default();
    Detection {
        language: language(table, path.rsplit('/').next().unwrap_or(path), data),
        is_vendored: table.vendored.is_match(path.as_bytes()),
        is_generated: table.generated.is_match(path.as_bytes()) || generated::by_content(path, data),
    }
}

fn language(table: &Table, name: &str, data: &[u8]) -> Option<(Id, Strategy)> {
    if let Some(id) = modeline::find(data).and_then(|alias| table.by_alias(alias)) {
        return Some((id, Strategy::Modeline));
    }
    let mut candidates: Vec<Id> = Vec::new();
    narrow(&mut candidates, table.by_filename(name));
    if let [id] = candidates[..] {
        return Some((id, Strategy::Filename));
    }
    if let Some(interpreter) = shebang::interpreter(data) {
        narrow(&mut candidates, table.by_interpreter(&interpreter));
        if let [id] = candidates[..] {
            return Some((id, Strategy::Shebang));
        }
    }
    let name = name.to_ascii_lowercase();
    if !table.is_generic(&name) {
        narrow(&mut candidates, table.by_extension(&name));
        if let [id] = candidates[..] {
            return Some((id, Strategy::Extension));
        }
    }
    if candidates.is_empty() {
        // The `<?` of the declaration is not asked for: neither does Linguist's pattern, `<?xml version=`.
        if memmem::find(lines::head(data, 2), b"xml version=").is_some()
            && let Some(id) = table.special.xml
        {
            return Some((id, Strategy::Xml));
        }
        if table.special.manpage.is_match(name.as_bytes()) {
            candidates.extend_from_slice(&table.special.roff);
        }
    }
    if let Some(found) = table.disambiguate(&name, data) {
        match found {
            [id] => return Some((*id, Strategy::Heuristics)),
            several => candidates = several.to_vec(),
        }
    }
    match candidates[..] {
        [] => return None,
        [id] => return Some((id, Strategy::Manpage)),
        _ => {}
    }
    match table.clues.judge(&candidates, &name, data) {
        Verdict::One(id) => return Some((id, Strategy::Clues)),
        Verdict::Unknown => return None,
        Verdict::Several(left) => candidates = left,
    }
    Some(match table.classifier.best(&candidates, data) {
        Some(id) => (id, Strategy::Classifier),
        None => (table.most_popular(&candidates, &name), Strategy::Popular),
    })
}

/// Keeps the candidates that are in `found`; a strategy that finds none of them leaves them as they were.
fn narrow(candidates: &mut Vec<Id>, found: &[Id]) {
    if candidates.is_empty() {
        candidates.extend_from_slice(found);
    } else if candidates.iter().any(|c| found.contains(c)) {
        candidates.retain(|c| found.contains(c));
    }
}

#[cfg(test)]
mod tests;
