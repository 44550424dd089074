//! Tags around a notice: StyleCop's `<copyright file="…">`, the `<pre>` and `<p>` of documentation.

/// A tag that has its line for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it is called.
    pub name: &'a str,
    /// `</name>`
    pub closes: bool,
    /// `<name/>`
    pub empty: bool,
}

/// Tags whose inside is a notice by what they are called.
const LEGAL: [&str; 6] = ["copyright", "license", "licence", "legal", "notice", "copyrights"];

/// Tags that say how a text looks.
const LAYOUT: [&str; 17] = [
    "p",
    "pre",
    "br",
    "hr",
    "b",
    "i",
    "em",
    "strong",
    "tt",
    "code",
    "center",
    "div",
    "blockquote",
    "font",
    "small",
    "para",
    "span",
];

impl Tag<'_> {
    /// Whether it can be part of a notice.
    pub fn is_known(self) -> bool {
        self.is_legal() || LAYOUT.iter().any(|name| name.eq_ignore_ascii_case(self.name))
    }

    /// Whether what it encloses is a notice by its name.
    pub fn is_legal(self) -> bool {
        LEGAL.iter().any(|name| name.eq_ignore_ascii_case(self.name))
    }
}

/// The tag that is all of a line of a comment, markers aside.
pub fn tag(line: &str) -> Option<Tag<'_>> {
    let marks =
        |c: char| c.is_whitespace() || matches!(c, '*' | '#' | '/' | ';' | '-' | '%' | '!' | '\'' | '|');
    let inner = line.trim_matches(marks).strip_prefix('<')?.strip_suffix('>')?;
    if inner.contains(['<', '>']) {
        return None;
    }
    let (closes, empty) = (inner.starts_with('/'), inner.ends_with('/'));
    let inner = inner.trim_matches('/');
    let length = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(length);
    // `<jane@example.org>` and `<Jane Doe>` are none.
    let fits =
        attributes.trim().is_empty() || attributes.starts_with([' ', '\t']) && attributes.contains('=');
    (fits && name.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(Tag { name, closes, empty })
}

/// A line's words without the tag of a notice around them: `<copyright>© 2020 A.</copyright>`.
pub fn inside(text: &str, body: (usize, usize)) -> (usize, usize) {
    let (mut start, mut end) = body;
    let words = &text[start..end];
    let name = |tag: &str| {
        tag.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or("").to_ascii_lowercase()
    };
    if let Some(tag) = words.strip_prefix('<')
        && LEGAL.contains(&name(tag).as_str())
        && let Some(at) = words.find('>')
        && at + 1 < words.len()
    {
        start += at + 1;
    }
    if let Some(at) = text[start..end].rfind("</")
        && text[start..end].ends_with('>')
        && LEGAL.contains(&name(&text[start + at + 2..end]).as_str())
        && at > 0
    {
        end = start + at;
    }
    let words = &text[start..end];
    let trimmed = words.trim_start();
    let start = start + (words.len() - trimmed.len());
    (start, start + trimmed.trim_end().len())
}
