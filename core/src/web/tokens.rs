//! The tags, texts and attributes of a page, in one pass.
//!
//! It follows the tokenisation of the HTML standard where pages depend on it: quotes in tags, comments, and elements
//! whose content is raw up to their end tag. Trees are not repaired here. Every byte is looked at a bounded number of
//! times, whatever the page is like.
//!
//! From: HTML Living Standard, 13.2.5.

use memchr::{memchr, memchr2, memmem};

/// The attributes of a start tag that say what an element is for; all others are skipped.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Attributes<'a> {
    /// `class`
    pub class: &'a str,
    /// `id`
    pub id: &'a str,
    /// `role`
    pub role: &'a str,
    /// `data-lang`, `data-language` or the like: the language of code
    pub lang: &'a str,
    /// `lang`: the language of people, or of code where a blog's plugin reads it so
    pub spoken: &'a str,
    /// `itemprop`
    pub itemprop: &'a str,
    /// `hidden`, `aria-hidden="true"` or a style that says so
    pub hidden: bool,
    /// `data-nosnippet`
    pub nosnippet: bool,
}

/// A piece of a page. Names are as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Text, with its character references as they are.
    Text(&'a str),
    /// A start tag, and whether it closes itself.
    Start(&'a str, Attributes<'a>, bool),
    /// An end tag.
    End(&'a str),
    /// The content of an element that is raw text, and the name of that element. Its end tag is gone as well.
    Raw(&'a str, &'a str),
}

/// Elements that hold no markup.
const RAW: [&str; 8] = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

/// The tokens of a page.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    /// From its beginning.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, raw: None }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// What is raw up to the end tag of `name`, or to the end of the page.
    fn raw_text(&mut self, name: &'a str) -> Token<'a> {
        let start = self.at;
        let bytes = self.bytes();
        let mut from = start;
        while let Some(found) = memmem::find(&bytes[from..], b"</") {
            let at = from + found;
            let after = at + 2 + name.len();
            let same = bytes.get(at + 2..after).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()));
            if same && bytes.get(after).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/')) {
                self.at = memchr(b'>', &bytes[after..]).map_or(bytes.len(), |end| after + end + 1);
                return Token::Raw(&self.text[start..at], name);
            }
            from = at + 2;
        }
        self.at = bytes.len();
        Token::Raw(&self.text[start..], name)
    }

    /// Behind a comment, a declaration or an instruction that begins at `at`.
    fn behind_declaration(&self, at: usize) -> usize {
        let bytes = self.bytes();
        let end =
            |from: usize, what: &[u8]| memmem::find(&bytes[from..], what).map(|i| from + i + what.len());
        let found = if bytes[at..].starts_with(b"<!-->") {
            Some(at + 5)
        } else if bytes[at..].starts_with(b"<!--") {
            end(at + 4, b"-->")
        } else if bytes[at..].starts_with(b"<![CDATA[") {
            end(at + 9, b"]]>")
        } else {
            end(at + 2, b">")
        };
        found.unwrap_or(bytes.len())
    }

    /// A start tag whose name begins behind `at`.
    fn start(&mut self, at: usize) -> Option<Token<'a>> {
        let bytes = self.bytes();
        let mut i = name_end(bytes, at + 1);
        let name = &self.text[at + 1..i];
        let mut found = Attributes::default();
        let mut closed = false;
        loop {
            while i < bytes.len() && (bytes[i].is_ascii_whitespace() || bytes[i] == b'/') {
                closed = bytes[i] == b'/';
                i += 1;
            }
            let &byte = bytes.get(i)?;
            if byte == b'>' {
                break;
            }
            closed = false;
            let key = i;
            i += 1; // a stray `=` or quote is the beginning of a name
            while i < bytes.len()
                && !(bytes[i].is_ascii_whitespace() || matches!(bytes[i], b'=' | b'>' | b'/'))
            {
                i += 1;
            }
            let key = &bytes[key..i];
            let mut j = i;
            while j < bytes.len() && bytes[j].is_ascii_whitespace() {
                j += 1;
            }
            let mut value = "";
            if bytes.get(j) == Some(&b'=') {
                j += 1;
                while j < bytes.len() && bytes[j].is_ascii_whitespace() {
                    j += 1;
                }
                let &quote = bytes.get(j)?;
                if matches!(quote, b'"' | b'\'') {
                    let end = j + 1 + memchr(quote, &bytes[j + 1..])?;
                    value = &self.text[j + 1..end];
                    j = end + 1;
                } else {
                    let start = j;
                    while j < bytes.len() && !bytes[j].is_ascii_whitespace() && bytes[j] != b'>' {
                        j += 1;
                    }
                    value = &self.text[start..j];
                }
                i = j;
            }
            note(&mut found, key, value);
        }
        self.at = i + 1;
        self.raw = RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)).then_some(name);
        Some(Token::Start(name, found, closed))
    }
}

/// Whether a byte may be part of the name of a character reference.
pub fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn name_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && !bytes[at].is_ascii_whitespace() && !matches!(bytes[at], b'>' | b'/') {
        at += 1;
    }
    at
}

fn note<'a>(found: &mut Attributes<'a>, key: &[u8], value: &'a str) {
    let is = |name: &str| key.eq_ignore_ascii_case(name.as_bytes());
    // The first letter tells nearly all others apart.
    match key.first().map(u8::to_ascii_lowercase) {
        Some(b'c') if is("class") => found.class = value,
        Some(b'i') if is("id") => found.id = value,
        Some(b'i') if is("itemprop") => found.itemprop = value,
        Some(b'l') if is("lang") => found.spoken = value,
        Some(b'r') if is("role") => found.role = value,
        Some(b'd') if is("data-lang") || is("data-language") || is("data-syntaxhighlighter-params") => {
            found.lang = value
        }
        Some(b'd') if is("data-nosnippet") => found.nosnippet = true,
        Some(b'h') if is("hidden") => found.hidden = value != "until-found",
        Some(b'a') if is("aria-hidden") => found.hidden |= value == "true",
        Some(b's') if is("style") => {
            found.hidden |= value.contains("display:none") || value.contains("display: none");
        }
        _ => {}
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw_text(name));
        }
        let bytes = self.bytes();
        while self.at < bytes.len() {
            let start = self.at;
            let mut at = start;
            // Text goes on over each `<` that begins nothing.
            let tag = loop {
                let Some(found) = memchr(b'<', &bytes[at..]) else { break bytes.len() };
                at += found;
                match bytes.get(at + 1) {
                    Some(b) if b.is_ascii_alphabetic() || matches!(b, b'!' | b'?') => break at,
                    Some(b'/') if bytes.get(at + 2).is_some_and(|b| b.is_ascii_alphabetic()) => break at,
                    _ => at += 1,
                }
            };
            if tag > start {
                self.at = tag;
                return Some(Token::Text(&self.text[start..tag]));
            }
            match bytes[tag + 1] {
                b'!' | b'?' => self.at = self.behind_declaration(tag),
                b'/' => {
                    let end = name_end(bytes, tag + 2);
                    self.at = memchr2(b'>', b'<', &bytes[end..])
                        .map_or(bytes.len(), |i| end + i + usize::from(bytes[end + i] == b'>'));
                    return Some(Token::End(&self.text[tag + 2..end]));
                }
                _ => {
                    let token = self.start(tag);
                    if token.is_none() {
                        self.at = bytes.len(); // a tag without an end: browsers show nothing of it
                    }
                    return token;
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Attributes, Token, Tokens};

    #[test]
    fn tags_texts_and_raw_elements() {
        let page = "a<!-- <b> --><P class='x y' id=z>1 < 2<br/><script>if (a</b>) {}</SCRIPT >c</p\n>";
        let found: Vec<_> = Tokens::new(page).collect();
        let p = Attributes { class: "x y", id: "z", ..Attributes::default() };
        let none = Attributes::default();
        assert_eq!(
            found,
            [
                Token::Text("a"),
                Token::Start("P", p, false),
                Token::Text("1 < 2"),
                Token::Start("br", none, true),
                Token::Start("script", none, false),
                Token::Raw("if (a</b>) {}", "script"),
                Token::Text("c"),
                Token::End("p"),
            ]
        );
    }

    #[test]
    fn what_never_ends_is_not_shown() {
        assert_eq!(Tokens::new("a<b c=\"").collect::<Vec<_>>(), [Token::Text("a")]);
        assert_eq!(Tokens::new("a<!-- b").collect::<Vec<_>>(), [Token::Text("a")]);
        assert_eq!(Tokens::new("<style>b").last(), Some(Token::Raw("b", "style")));
    }
}
