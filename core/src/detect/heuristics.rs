//! Rules that tell languages with the same extension apart by patterns in the content.

use super::spec::{Id, Rule};
use regex::bytes::{Regex, RegexBuilder};

/// Bytes from the start of a file that patterns see, as in Linguist.
pub const CONSIDER: usize = 50 * 1024;

/// One rule, compiled: it holds if every pattern of `when` matches and `unless` does not.
pub struct Compiled {
    pub languages: Vec<Id>,
    when: Vec<Regex>,
    unless: Option<Regex>,
}

impl Compiled {
    /// `languages` are already looked up. Errors: the pattern that does not compile, and why.
    pub fn new(rule: &Rule, languages: Vec<Id>) -> Result<Self, String> {
        let when = rule.when.iter().map(|any| union(any, true)).collect::<Result<_, _>>()?;
        let unless = if rule.unless.is_empty() { None } else { Some(union(&rule.unless, true)?) };
        Ok(Self { languages, when, unless })
    }

    pub fn holds(&self, data: &[u8]) -> bool {
        self.when.iter().all(|p| p.is_match(data)) && !self.unless.as_ref().is_some_and(|p| p.is_match(data))
    }
}

/// One pattern that matches where any of `patterns` does. Bytes, ASCII classes; `lines`: `^` and `$` match at lines.
pub fn union(patterns: &[String], lines: bool) -> Result<Regex, String> {
    let built = |text: &str| {
        RegexBuilder::new(text)
            .unicode(false)
            .multi_line(lines)
            .size_limit(8 << 20)
            .dfa_size_limit(8 << 20)
            .build()
    };
    let text = patterns.iter().map(|p| format!("(?:{p})")).collect::<Vec<_>>().join("|");
    built(&text).map_err(|error| {
        let bad = patterns.iter().find(|p| built(p).is_err());
        format!("the pattern {:?} does not compile: {error}", bad.unwrap_or(&text))
    })
}
