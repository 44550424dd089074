//! A page as far as its text is concerned: which elements are open, and how long the visible text is.

use std::borrow::Cow;
use std::collections::HashMap; // whose keys no page can make collide

/// Elements without content.
const VOID: [&str; 24] = [
    "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image", "img",
    "input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source", "spacer", "track",
    "wbr",
];
/// Elements whose text is not visible.
const HIDDEN: [&str; 5] = ["rp", "rt", "script", "style", "template"];
/// Elements that keep their blanks.
const PRESERVING: [&str; 2] = ["pre", "textarea"];
/// A text between two tags.
#[derive(Default)]
struct Run {
    there: bool,
    chars: usize,
    newline: bool,
    visible: bool,
}

impl Run {
    fn add(&mut self, text: &str) {
        self.there = true;
        self.chars += text.chars().count();
        self.newline |= text.contains('\n');
        self.visible |= text.bytes().any(|byte| !matches!(byte, b' ' | b'\n' | b'\t' | 0x0C | b'\r'));
    }
}

/// What is open, and what has been seen.
#[derive(Default)]
pub struct Page<'a> {
    stack: Vec<Cow<'a, str>>,
    open: HashMap<Cow<'a, str>, usize>,
    /// Void elements whose end tag, should one come, is passed over.
    closed: HashMap<Cow<'a, str>, usize>,
    hidden: usize,
    preserving: usize,
    run: Run,
    /// Length of the visible text, without the run that has not ended.
    pub chars: usize,
}

impl<'a> Page<'a> {
    /// More of the text between two tags.
    pub fn add(&mut self, text: &str) {
        self.run.add(text);
    }

    /// A start tag; whether text follows up to its end tag, whatever stands there.
    pub fn start(&mut self, name: Cow<'a, str>, closed: bool) -> Option<&'static str> {
        self.end_run();
        self.hidden += usize::from(HIDDEN.contains(&&*name));
        self.preserving += usize::from(PRESERVING.contains(&&*name));
        *self.open.entry(name.clone()).or_default() += 1;
        self.stack.push(name.clone());
        if closed {
            self.end_tag(name);
            return None;
        }
        if VOID.contains(&&*name) {
            self.pop_to(&name);
            *self.closed.entry(name).or_default() += 1;
            return None;
        }
        ["script", "style"].into_iter().find(|raw| *raw == name)
    }

    /// An end tag.
    pub fn end_tag(&mut self, name: Cow<'a, str>) {
        if let Some(count) = self.closed.get_mut(&name).filter(|count| **count > 0) {
            *count -= 1;
            return;
        }
        self.end_run();
        self.pop_to(&name);
    }

    /// Closes the innermost element of this name and all inside it, if there is one.
    fn pop_to(&mut self, name: &str) {
        if self.open.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some(top) = self.stack.pop() {
            self.hidden -= usize::from(HIDDEN.contains(&&*top));
            self.preserving -= usize::from(PRESERVING.contains(&&*top));
            *self.open.entry(top.clone()).or_default() -= 1;
            if top == name {
                break;
            }
        }
    }

    /// A run of text ends.
    pub fn end_run(&mut self) {
        self.count_run(self.hidden == 0);
    }

    /// A run ends, and counts if `seen`. Blanks alone are one blank, or one newline: one character.
    pub fn count_run(&mut self, seen: bool) {
        let run = std::mem::take(&mut self.run);
        if run.there && seen {
            self.chars += if run.visible || self.preserving > 0 { run.chars } else { 1 };
        }
    }
}
