//! The rules of a language: what its entry in the table says, and what its dialect adds to that.
//!
//! A dialect ([`super::dialects`]) may change the strings, name bytes that a *hook* wants to see first (a raw string, a
//! heredoc, a regular expression), or say where a comment can begin.

use super::engine::Lexer;
use super::place::Place;
use super::quote::{Escape, Extent, OwnedQuote, Quote};
use super::text::{is_at, is_word};
use crate::bytes::Class;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Reads what begins at a byte, if it is something special; `false` leaves the byte to the table.
pub type Hook = for<'a> fn(&mut Lexer<'a>, usize) -> bool;

/// What an opener opens.
#[derive(Clone, Debug)]
pub enum What {
    /// A comment to the end of the line.
    Line(Place),
    /// A comment to its closer.
    Block {
        /// The closer.
        close: Box<Finder<'static>>,
        /// Where it can begin.
        place: Place,
    },
    /// A string.
    Text(OwnedQuote),
}

/// What opens something.
#[derive(Clone, Debug)]
pub struct Opener {
    /// Its text.
    pub text: Vec<u8>,
    /// What it opens.
    pub what: What,
    word: bool,
}

impl Opener {
    /// Whether it stands at `at`. An opener of letters (REM, dnl) is a word of its own, in either case.
    pub fn is_at(&self, text: &[u8], at: usize) -> bool {
        if !self.word {
            return is_at(text, at, &self.text);
        }
        let end = at + self.text.len();
        let word = is_word;
        text.len() >= end
            && text[at..end].eq_ignore_ascii_case(&self.text)
            && (at == 0 || !word(text[at - 1]))
            && text.get(end).is_none_or(|&b| !word(b) || !word(self.text[self.text.len() - 1]))
    }
}

/// Ways in which a lexer can be asked to see less than there is; all off in [`super::spans`].
///
/// They are the part of the signals' split (`crate::signals::split`) that spans cannot be corrected for afterwards;
/// which language has which, and why, is written there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// A block comment without closer is code.
    pub unclosed_comment_is_code: bool,
    /// Single and double quotes pair up across lines, and a quote without partner is code.
    pub quotes_pair_across_lines: bool,
    /// JSX is code like any other.
    pub no_jsx: bool,
    /// C: no strings on lines of the preprocessor; the rest of a line after `#include <x>` is comment; the body of
    /// `#if 0` is code whatever it contains. C#: such lines are code to their end.
    pub plain_directives: bool,
    /// Python: every triple-quoted string that is first on its line is documentation, and escapes do not count in it.
    pub docstrings_anywhere: bool,
    /// INI: a comment begins anywhere on a line.
    pub comments_anywhere: bool,
    /// Shell: a heredoc ends where its word comes next, be it within a line.
    pub loose_heredocs: bool,
}

/// Whether the lexer stops at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No.
    Never,
    /// Yes.
    Always,
    /// Unless a word goes on there.
    AtWord,
}

/// The dialects that share readers and differ in places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The table says it all.
    Table,
    /// C and its descendants with its preprocessor.
    C,
    /// C++ and its relatives: C with raw strings.
    Cpp,
    /// The others are named after their language.
    CSharp,
    /// See above.
    Rust,
    /// See above.
    Swift,
    /// See above.
    Lua,
    /// See above.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// See above.
    Ruby,
    /// See above.
    Perl,
    /// Bourne's and its descendants.
    Shell,
    /// See above.
    Php,
    /// HTML, Vue, Svelte.
    Html,
    /// See above.
    Xml,
    /// See above.
    Yaml,
    /// CSS, SCSS, Less.
    Css,
}

/// How one language is read.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What opens something.
    pub openers: Vec<Opener>,
    /// By first byte, which of them to try, longest first.
    by_byte: Vec<Vec<u16>>,
    /// Bytes at which anything can begin.
    pub stops: [Stop; 256],
    /// The same as a class, if they are ASCII.
    pub class: Option<Class>,
    /// Further ones in code inside a literal: the brackets that end it.
    pub inside: Vec<u8>,
    /// Bytes the hook wants to see.
    pub special: [bool; 256],
    /// The dialect's own reader.
    pub hook: Hook,
    /// What the dialect does before anything else.
    pub start: Option<for<'a> fn(&mut Lexer<'a>)>,
    /// Bytes that take the meaning of the byte after them, in code.
    pub skips: &'static [u8],
    /// Whether block comments nest.
    pub nested: bool,
    /// Whether a backslash at the end of its line carries a line comment on.
    pub continued: bool,
    /// What ends a line comment before its line does (`?>`).
    pub line_comment_closer: Option<&'static [u8]>,
    /// Whether `'` after a word is no quote.
    pub primes: bool,
    /// Whether JSX can occur.
    pub jsx: bool,
    /// HTML: how scripts and style sheets are read; `None` leaves them as they are.
    pub script: Option<Arc<Rules>>,
    /// See `script`.
    pub style: Option<Arc<Rules>>,
    /// What the caller does not want to be seen.
    pub quirks: Quirks,
    /// Which dialect of a family it is.
    pub dialect: Dialect,
}

const fn no_hook(_: &mut Lexer<'_>, _: usize) -> bool {
    false
}

impl Rules {
    /// The rules of a language that nothing is known of.
    pub(super) fn none() -> Self {
        Self {
            openers: Vec::new(),
            by_byte: Vec::new(),
            stops: [Stop::Never; 256],
            class: None,
            inside: Vec::new(),
            special: [false; 256],
            hook: no_hook,
            start: None,
            skips: b"",
            nested: false,
            continued: false,
            line_comment_closer: None,
            primes: true,
            jsx: false,
            script: None,
            style: None,
            quirks: Quirks::default(),
            dialect: Dialect::Table,
        }
    }

    /// Adds an opener of line comments.
    pub(super) fn line(&mut self, open: &str, place: Place) {
        self.add(open, What::Line(place));
    }

    /// Adds block comments.
    pub(super) fn block(&mut self, open: &str, close: &str, place: Place) {
        if !close.is_empty() {
            self.add(open, What::Block { close: Box::new(Finder::new(close).into_owned()), place });
        }
    }

    /// Adds strings.
    pub(super) fn text(&mut self, open: &str, close: &str, escape: Escape, extent: Extent) {
        if !close.is_empty() {
            let rest = Quote::new(b"", escape, extent);
            self.add(open, What::Text(OwnedQuote { close: close.into(), rest }));
        }
    }

    fn add(&mut self, open: &str, what: What) {
        // `@REM` is a word as well.
        let letters = open.strip_prefix('@').unwrap_or(open);
        let (text, word) = (open.as_bytes().to_vec(), letters.starts_with(|c: char| c.is_ascii_alphabetic()));
        // `r"` of Dart begins with a letter too, but is not a word.
        let word = word && !matches!(what, What::Text(_));
        if !text.is_empty() && !self.openers.iter().any(|o| o.text == text) {
            self.openers.push(Opener { text, what, word });
        }
    }

    /// Changes the strings of some openers.
    pub(super) fn texts(&mut self, opens: &[&str], change: impl Fn(&mut Quote<'static>)) {
        for opener in &mut self.openers {
            if let What::Text(quote) = &mut opener.what
                && opens.iter().any(|open| open.as_bytes() == opener.text)
            {
                change(&mut quote.rest);
            }
        }
    }

    /// Bends the rules.
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        if quirks.quotes_pair_across_lines {
            self.texts(&["\"", "'"], |quote| quote.extent = Extent::TextOrCode);
        }
        if quirks.comments_anywhere {
            for opener in &mut self.openers {
                if let What::Line(place) = &mut opener.what {
                    *place = Place::Anywhere;
                }
            }
        }
        if quirks.no_jsx {
            self.jsx = false;
        }
        self
    }

    /// Openers in the order in which they are tried, and the bytes to stop at.
    pub(super) fn finish(&mut self) {
        self.openers.sort_by_key(|o| std::cmp::Reverse(o.text.len()));
        self.by_byte = vec![Vec::new(); 256];
        for (number, opener) in self.openers.iter().enumerate() {
            let byte = opener.text[0];
            let bytes = if opener.word {
                vec![byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]
            } else {
                vec![byte]
            };
            for &byte in &bytes {
                let tried = &mut self.by_byte[byte as usize];
                if tried.last() != Some(&(number as u16)) {
                    tried.push(number as u16);
                }
                if !opener.word {
                    self.stops[byte as usize] = Stop::Always;
                } else if self.stops[byte as usize] == Stop::Never {
                    self.stops[byte as usize] = Stop::AtWord;
                }
            }
        }
        for &byte in self.skips {
            self.stops[byte as usize] = Stop::Always;
        }
        let members = self.stops.map(|stop| stop != Stop::Never);
        self.class = (!members[128..].contains(&true)).then(|| Class::of_ascii(members));
    }

    /// The openers that begin with a byte, longest first.
    pub fn openers_of(&self, byte: u8) -> impl Iterator<Item = &Opener> {
        self.by_byte[byte as usize].iter().map(|&number| &self.openers[number as usize])
    }
}
