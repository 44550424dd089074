//! Personal data and secrets become placeholders, in one pass over the bytes and one over an automaton of anchors.
//!
//! An *anchor* is a byte or word that is rare and stands in or before what is looked for: `@` in addresses, "password"
//! before a value, `ghp_` at the head of a key. Everything that is decided about a hit is decided in a bounded
//! neighbourhood of it, by hand-written matchers or by a regex of the table of key formats, so the work is linear in
//! the text whatever the text is. What a value looks like alone (its entropy) never redacts it: there is a format, or
//! there is a context that says what it is.
//!
//! A placeholder has no quote and no backslash, and never takes the place of a quote: a string stays a string.

mod accounts;
mod assigned;
mod assignment;
mod bytes;
mod calls;
mod candidate;
mod containers;
mod cookies;
mod elements;
mod email;
mod finding;
mod formats;
mod home;
mod inner;
mod kept;
mod names;
mod network;
mod numbering;
mod pem;
mod phone;
mod services;
mod tokens;
mod told;
mod values;
mod versions;
mod words;

pub use finding::{Finding, Kind};
pub use formats::Format;

use aho_corasick::AhoCorasick;
use bytes::{Scan, contains};
use std::borrow::Cow;
use std::collections::HashMap;
use words::Word;

/// The built-in rules and a table of key formats, compiled once.
pub struct Redactor {
    words: AhoCorasick,
    targets: Vec<Word>,
    formats: Vec<Format>,
}

impl Redactor {
    /// Compiles the anchors of the rules and of the formats.
    ///
    /// Error: in words, if there is too much to compile.
    pub fn new(formats: Vec<Format>) -> Result<Self, String> {
        let mut anchors: Vec<(&str, Word)> = words::ANCHORS.to_vec();
        anchors.extend(calls::CALLS.iter().enumerate().map(|(number, call)| (call.0, Word::Call(number))));
        let heads = containers::HEADS.iter().enumerate();
        anchors.extend(heads.map(|(number, head)| (head.0, Word::Container(number))));
        for (number, format) in formats.iter().enumerate() {
            anchors.extend(format.anchors.iter().map(|a| (a.as_str(), Word::Format(number))));
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(aho_corasick::AhoCorasickKind::DFA))
            .build(anchors.iter().map(|(anchor, _)| anchor))
            .map_err(|error| error.to_string())?;
        let targets = anchors.into_iter().map(|(_, word)| word).collect();
        Ok(Self { words, targets, formats })
    }

    /// What would be replaced in `text`, in order and without overlaps.
    ///
    /// `bare`: values without quotes count as well (`PASSWORD=…`), as they do in configuration, shell and prose; in
    /// code such a value is an expression.
    pub fn findings<'a>(&'a self, text: &str, bare: bool) -> Vec<Finding<'a>> {
        let mut scan = Scan::new(text, bare);
        for hit in self.words.find_overlapping_iter(text) {
            let (start, end) = (hit.start(), hit.end());
            match self.targets[hit.pattern().as_usize()] {
                Word::Assigned(strength) => assigned::find(&mut scan, start, end, strength),
                Word::Bearer => told::bearer(&mut scan, start, end),
                Word::Identified => told::identified(&mut scan, end),
                Word::Account => kept::account(&mut scan, start, end),
                Word::Authorization => kept::authorization(&mut scan, start, end),
                Word::Call(number) => calls::find(&mut scan, end, number),
                Word::Composer => kept::composer(&mut scan, end),
                Word::Container(number) => containers::encoded(&mut scan, start, end, number),
                Word::Cookie => cookies::header(&mut scan, end),
                Word::CookieName => cookies::known(&mut scan, start, end),
                Word::CookieOption => cookies::option(&mut scan, start, end),
                Word::Oracle => kept::oracle(&mut scan, end),
                Word::Piped => kept::piped(&mut scan, start, end),
                Word::Hooks => inner::hooks(&mut scan, end),
                Word::Bundle => kept::bundle(&mut scan, end),
                Word::Joined => kept::joined(&mut scan, end),
                Word::JoinedBasic if contains(scan.line_before(start, 120), b"basic") => {
                    kept::joined(&mut scan, end)
                }
                Word::JoinedBasic => {}
                Word::Key => {
                    kept::kaggle(&mut scan, start, end);
                    kept::jwt(&mut scan, start, end);
                }
                Word::Relay => kept::relay(&mut scan, end),
                Word::Ident => kept::ident(&mut scan, start, end),
                Word::Jwk => containers::jwk(&mut scan, start, end),
                Word::Kubernetes => kept::kubernetes(&mut scan, start, end),
                Word::Nuget => kept::nuget(&mut scan, end),
                Word::Pgpass => kept::pgpass(&mut scan, start, end),
                Word::Putty => containers::putty(&mut scan, end),
                Word::SecureString => told::secure_string(&mut scan, start, end),
                Word::Xml => containers::xml(&mut scan, end),
                Word::Command => told::command(&mut scan, start, end),
                Word::Pair => told::pair(&mut scan, end),
                Word::Name(context) => names::find(&mut scan, start, end, context),
                Word::Home(place) => home::find(&mut scan, start, end, place),
                Word::Pem => pem::find(&mut scan, start),
                Word::Phone => phone::after_word(&mut scan, start, end),
                Word::Format(number) => formats::find(&mut scan, start, end, &self.formats[number]),
            }
        }
        for format in self.formats.iter().filter(|f| f.anchors.is_empty()) {
            formats::search(&mut scan, format);
        }
        self.bytes(&mut scan);
        settle(text, scan.found)
    }

    /// The anchors that are single bytes.
    ///
    /// What is called here is never inlined: with all of it in the loop over every byte, redaction took a sixth longer.
    fn bytes(&self, scan: &mut Scan<'_, '_>) {
        let text = scan.text;
        for (at, &byte) in text.iter().enumerate() {
            if !bytes::ANCHOR[byte as usize] {
                continue;
            }
            match byte {
                b'@' => email::find(scan, at),
                b'.' => {
                    network::v4(scan, at);
                    phone::dotted(scan, at);
                    inner::discord(scan, at);
                }
                b':' => {
                    network::v6(scan, at);
                    inner::telegram(scan, at);
                }
                b'+' => phone::international(scan, at),
                b'~' => inner::entra(scan, at),
                _ => {
                    phone::american(scan, at);
                    inner::mailchimp(scan, at);
                }
            }
        }
    }

    /// The text with placeholders, and how many there are of each kind in the order of [`Kind::ALL`].
    pub fn redact<'t>(&self, text: &'t str, bare: bool) -> (Cow<'t, str>, [u32; 7]) {
        let found = self.findings(text, bare);
        let mut counts = [0; 7];
        if found.is_empty() {
            return (Cow::Borrowed(text), counts);
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for finding in &found {
            out.push_str(&text[from..finding.start]);
            out.push_str(finding.kind.placeholder());
            from = finding.end;
            let place = Kind::ALL.iter().position(|k| *k == finding.kind).unwrap_or(0);
            counts[place] += 1;
        }
        out.push_str(&text[from..]);
        (Cow::Owned(out), counts)
    }
}

/// Puts findings in order; of two that overlap the one of the more precise kind stays, else the longer. One value is
/// of one kind throughout a text: the most precise it was found as.
fn settle<'a>(text: &str, mut found: Vec<Finding<'a>>) -> Vec<Finding<'a>> {
    found.sort_by_key(|f| (f.start, f.kind, std::cmp::Reverse(f.end)));
    let mut kept: Vec<Finding<'a>> = Vec::with_capacity(found.len());
    for finding in found {
        match kept.last() {
            // A number that ends like an address: `(33) 93.65.77.71` after "phone".
            Some(last)
                if last.kind == Kind::Phone
                    && finding.kind == Kind::Ip
                    && last.start < finding.start
                    && finding.end <= last.end => {}
            Some(last) if finding.start < last.end => {
                let longer = finding.end - finding.start > last.end - last.start;
                if finding.kind < last.kind || (finding.kind == last.kind && longer) {
                    kept.pop();
                    // What the last one pushed aside stays aside: no finding is looked at twice.
                    if kept.last().is_none_or(|before| before.end <= finding.start) {
                        kept.push(finding);
                    }
                }
            }
            _ => kept.push(finding),
        }
    }
    if kept.len() > 1 {
        let mut kinds: HashMap<&str, Kind> = HashMap::new();
        for finding in &kept {
            let kind = kinds.entry(&text[finding.start..finding.end]).or_insert(finding.kind);
            *kind = finding.kind.min(*kind);
        }
        for finding in &mut kept {
            finding.kind = kinds[&text[finding.start..finding.end]];
        }
    }
    kept
}

#[cfg(test)]
mod tests;
