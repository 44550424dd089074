//! What a language looks like, where neither a heuristic nor a training file tells candidates apart.
//!
//! Every candidate has points for the patterns of its own that match; who has most, alone, wins. Unlike heuristics they
//! belong to a language and not to an extension, so that a language can be added without a thought for its rivals; unlike
//! the classifier's weights they can be written down by somebody who knows the language and has no files of it.

use super::heuristics::{CONSIDER, union};
use super::spec::{Clue, Id, Unknown};
use regex::bytes::{Regex, RegexSet, RegexSetBuilder};

/// Points for a pattern of `sure`; one of `likely` has 1.
const SURE: usize = 3;

/// Lines with something on them from which on a file that looks like no candidate is in none of their languages. A
/// shorter one may be a stub.
const ENOUGH: usize = 10;

struct Compiled {
    sure: usize,
    set: RegexSet,
    never: Option<Regex>,
}

/// Files of an extension that are in none of its languages.
struct Other {
    extensions: Vec<String>,
    patterns: Regex,
    unless: Option<Regex>,
}

/// The clues of every language that has some.
pub struct Clues {
    by_language: Vec<Option<Compiled>>,
    others: Vec<Other>,
}

/// What the clues say of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One candidate leads.
    One(Id),
    /// These candidates are left: the leaders, or those that nothing speaks against.
    Several(Vec<Id>),
    /// It is in no candidate's language.
    Unknown,
}

impl Clues {
    /// Errors: a pattern that does not compile, a language that is not in the table.
    pub fn new(
        clues: &[Clue],
        unknown: &[Unknown],
        find: impl Fn(&String) -> Result<Id, String>,
    ) -> Result<Self, String> {
        let mut by_language: Vec<Option<Compiled>> = Vec::new();
        for clue in clues {
            let at = usize::from(find(&clue.language)?);
            let set = RegexSetBuilder::new(clue.sure.iter().chain(&clue.likely))
                .unicode(false)
                .multi_line(true)
                .size_limit(8 << 20)
                .build()
                .map_err(|e| format!("{e} (clues of {:?})", clue.language))?;
            by_language.resize_with(by_language.len().max(at + 1), || None);
            by_language[at] = Some(Compiled { sure: clue.sure.len(), set, never: any(&clue.never)? });
        }
        let others = unknown.iter().map(|it| {
            let patterns = union(&it.patterns, true)?;
            Ok(Other { extensions: it.extensions.clone(), patterns, unless: any(&it.unless)? })
        });
        Ok(Self { by_language, others: others.collect::<Result<_, String>>()? })
    }

    /// What is known of `data`, a file called `name`, in small letters.
    pub fn judge(&self, candidates: &[Id], name: &str, data: &[u8]) -> Verdict {
        let data = &data[..data.len().min(CONSIDER)];
        let other = |it: &Other| {
            it.extensions.iter().any(|e| name.ends_with(e.as_str()))
                && it.patterns.is_match(data)
                && !it.unless.as_ref().is_some_and(|unless| unless.is_match(data))
        };
        if self.others.iter().any(other) {
            return Verdict::Unknown;
        }
        let scores: Vec<Option<usize>> = candidates.iter().map(|id| self.points(*id, data)).collect();
        let best = scores.iter().copied().flatten().max().unwrap_or(0);
        // Who has no clues at all may be it.
        let known = |id: &Id| matches!(self.by_language.get(usize::from(*id)), Some(Some(_)));
        if best == 0 && candidates.iter().all(known) && is_long(data) {
            return Verdict::Unknown;
        }
        let leaders = candidates.iter().zip(&scores).filter(|(_, score)| **score == Some(best));
        match leaders.map(|(id, _)| *id).collect::<Vec<_>>() {
            found if found.is_empty() => Verdict::Several(candidates.to_vec()),
            // Without a point it is the one that nothing speaks against.
            found if found.len() == 1 => Verdict::One(found[0]),
            found => Verdict::Several(found),
        }
    }

    /// A language's points; `None` where something speaks against it.
    fn points(&self, id: Id, data: &[u8]) -> Option<usize> {
        let Some(Some(clues)) = self.by_language.get(usize::from(id)) else { return Some(0) };
        if clues.never.as_ref().is_some_and(|never| never.is_match(data)) {
            return None;
        }
        let found = clues.set.matches(data);
        Some(found.iter().map(|n| if n < clues.sure { SURE } else { 1 }).sum())
    }
}

fn is_long(data: &[u8]) -> bool {
    let line = |line: &&[u8]| !line.trim_ascii().is_empty();
    data.split(|&byte| matches!(byte, b'\n' | b'\r')).filter(line).take(ENOUGH).count() == ENOUGH
}

fn any(patterns: &[String]) -> Result<Option<Regex>, String> {
    if patterns.is_empty() { Ok(None) } else { union(patterns, true).map(Some) }
}
