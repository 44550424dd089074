//! A page as text: paragraphs, lists and tables as lines, code in fences as it stands.
//!
//! Elements are kept on a stack; what they mean is counted, so that "inside of furniture" is a number. An end tag closes
//! what is open down to its element, and is ignored if there is none. Each element is pushed and popped once, so time
//! and memory are linear in the page, however deep or broken it is.

use super::blocks::{Block, Kind, assemble};
use super::entities::decoded;
use super::names::{Role, bare_language, is_block, is_code, is_gutter, is_void, language, role};
use super::tokens::{Attributes, Token, Tokens};
use rustc_hash::FxHashMap;

/// Bytes of blanks between `pre` and the `code` in it.
const FEW_BLANKS: usize = 64;

/// Elements inside of one another that are told apart; deeper ones are like their surroundings.
const MAX_DEPTH: usize = 1 << 12;
/// Elements around code that may name its language.
const AROUND: usize = 8;
/// A cell with more text (bytes) than this is layout, not a table's.
const MAX_CELL: usize = 600;

/// What was made of a page.
#[derive(Debug, Default, PartialEq)]
pub struct Extracted {
    /// The text.
    pub text: String,
    /// What `title` says.
    pub title: String,
    /// Blocks of code in it.
    pub code_blocks: u32,
}

#[derive(Default)]
struct Open<'a> {
    name: u64,
    furniture: bool,
    content: bool,
    gutter: bool,
    code: bool,
    /// How long the text was before a backtick, and behind it.
    backtick: Option<(usize, usize)>,
    link: bool,
    list: bool,
    cell: bool,
    /// Where the code was when a line of it began.
    line: Option<usize>,
    attributes: Attributes<'a>,
    /// What the attributes say of the language of code inside, once it was asked for: some hold megabytes, and there
    /// may be a block of code for every few bytes.
    language: Option<Option<String>>,
    /// Whether it is SyntaxHighlighter's.
    highlighter: bool,
}

#[derive(Default)]
struct Page<'a> {
    strict: bool,
    stack: Vec<Open<'a>>,
    /// Elements that were not pushed.
    deeper: usize,
    open: FxHashMap<u64, usize>,
    furniture: usize,
    content: usize,
    gutter: usize,
    code: usize,
    links: usize,
    /// Numbers of the items of open lists; `None`: not numbered.
    lists: Vec<Option<usize>>,
    cells: usize,
    layout: bool,
    row: usize,
    out: String,
    blocks: Vec<Block>,
    start: usize,
    linked: usize,
    space: bool,
    heading: usize,
    prefix: String,
    source: String,
    /// Whether line ends between elements of the code are none of it: its lines are elements, and it is no `pre`.
    loose: bool,
    language: Option<String>,
    title: Option<String>,
}

/// The text of a page. See `docs/web-recall.md` for what is kept.
pub fn extract(html: &str) -> Extracted {
    let page = run(html, true);
    if page.text.len() < 200 && html.len() > 2000 {
        // Its content is where others have their furniture.
        let all = run(html, false);
        if all.text.len() > 4 * page.text.len() {
            return all;
        }
    }
    page
}

fn run(html: &str, strict: bool) -> Extracted {
    let mut page = Page { strict, ..Page::default() };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Start(name, attributes, closed) => page.start(name, attributes, closed),
            Token::End(name) => page.end(hash(name)),
            Token::Raw(text, name) => page.raw(text, name),
        }
    }
    if page.code > 0 {
        page.end_code();
    }
    page.flush(Kind::Text);
    let title = collapsed(&page.title.unwrap_or_default());
    let (text, code_blocks) = assemble(&page.out, &page.blocks, &title);
    Extracted { text, title, code_blocks }
}

/// Names are compared in lower case.
fn hash(name: &str) -> u64 {
    let step =
        |hash: u64, byte: u8| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn collapsed(text: &str) -> String {
    decoded(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

impl<'a> Page<'a> {
    fn text(&mut self, text: &str) {
        if self.furniture > 0 {
            return;
        }
        if self.code > 0 {
            let between = self.loose && text.contains('\n') && text.trim_ascii().is_empty();
            if self.gutter == 0 && !between {
                self.source.push_str(&decoded(text));
            }
            return;
        }
        let text = decoded(text);
        let mut rest = &*text;
        while !rest.is_empty() {
            let blank = |c: char| c.is_ascii_whitespace() || c == '\u{a0}';
            let word = rest.trim_start_matches(blank);
            self.space |= word.len() < rest.len();
            let end = word.find(blank).unwrap_or(word.len());
            self.word(&word[..end]);
            rest = &word[end..];
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.out.len() == self.start {
            self.out.push_str(&self.prefix);
        } else if self.space && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        self.space = false;
        self.out.push_str(word);
        if self.links > 0 {
            self.linked += word.len() + 1;
        }
    }

    fn raw(&mut self, text: &str, name: &str) {
        let name = name.to_ascii_lowercase();
        if name == "title" && self.title.is_none() {
            self.title = Some(text.to_owned());
        } else if name == "xmp" && self.code > 0 && self.gutter == 0 {
            self.source.push_str(text); // its start tag began a block of code, if it is not in one
        }
        self.end(hash(&name)); // a raw element's own end tag is not a token
    }

    /// Ends the block that is being written, if anything is in it.
    fn flush(&mut self, kind: Kind) {
        while self.out.len() > self.start && self.out.ends_with([' ', '\n']) {
            self.out.pop();
        }
        if self.out.len() > self.start {
            let kind = match (self.heading, self.prefix.is_empty()) {
                (0, true) => kind,
                (0, false) => Kind::Item,
                (level, _) => Kind::Heading(level),
            };
            self.blocks.push(Block {
                start: self.start,
                end: self.out.len(),
                kind,
                content: self.content > 0,
                linked: self.linked,
            });
            self.prefix.clear();
        }
        self.start = self.out.len();
        self.linked = 0;
        self.space = false;
    }

    /// What a block does to the line that is being written.
    fn end_line(&mut self, layout: bool) {
        if self.cells > 0 && !self.layout {
            if layout || self.out.len() - self.start > MAX_CELL {
                self.layout = true;
            } else {
                self.space = true;
                return;
            }
        }
        self.flush(Kind::Text);
    }

    fn start(&mut self, name: &'a str, attributes: Attributes<'a>, closed: bool) {
        let mut buffer = [0u8; 24];
        let lower = match buffer.get_mut(..name.len()) {
            Some(lower) => {
                lower.copy_from_slice(name.as_bytes());
                lower.make_ascii_lowercase();
                std::str::from_utf8(lower).unwrap_or("")
            }
            None => "",
        };
        if lower == "body" {
            self.end(hash("head")); // it need not have an end tag
        }
        if is_void(lower) {
            self.void(lower);
            return;
        }
        let key = hash(name);
        let highlighter = attributes.class.contains("syntaxhighlighter");
        let mut opened = Open { name: key, attributes, highlighter, ..Open::default() };
        if self.code > 0 {
            opened.gutter = self.gutter > 0 || lower == "button" || is_gutter(lower, &attributes);
            opened.code = true;
            if !opened.gutter {
                self.start_in_code(lower, &attributes, &mut opened);
            }
        } else {
            match role(lower, &attributes, self.content > 0, self.strict) {
                Role::Furniture => opened.furniture = true,
                Role::Content => opened.content = true,
                Role::Plain => {}
            }
            opened.furniture |= is_gutter(lower, &attributes) && lower != "a";
            if self.furniture > 0 {
            } else if !opened.furniture {
                self.start_outside(lower, &attributes, &mut opened);
            } else if is_block(lower) && !matches!(lower, "td" | "th") {
                self.end_line(false); // and nothing else: nothing of it is to be left behind
            }
        }
        if closed && matches!(lower, "svg" | "math" | "path" | "a") {
            return; // written as XML
        }
        if self.stack.len() == MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        self.furniture += usize::from(opened.furniture);
        self.content += usize::from(opened.content);
        self.gutter += usize::from(opened.gutter);
        self.code += usize::from(opened.code);
        self.links += usize::from(opened.link);
        self.cells += usize::from(opened.cell);
        *self.open.entry(key).or_default() += 1;
        self.stack.push(opened);
    }

    fn void(&mut self, name: &str) {
        if self.furniture > 0 {
        } else if self.code > 0 {
            if name == "br" && self.gutter == 0 {
                if self.source.ends_with('\r') {
                    self.source.push('\n'); // which ends that line, and is no part of the next line end
                }
                self.source.push('\n');
            }
        } else if name == "br" && self.cells > 0 && !self.layout {
            self.space = true;
        } else if name == "br" && self.out.len() > self.start {
            self.out.push('\n');
        } else if name == "hr" {
            self.end_line(true);
        }
    }

    fn start_in_code(&mut self, name: &str, attributes: &Attributes, opened: &mut Open<'a>) {
        // Blanks between `pre` and `code`; of more of them each element would look at all.
        let first = self.source.len() <= FEW_BLANKS && self.source.trim_ascii().is_empty();
        if self.language.is_none() || (name == "code" && first) {
            // What the code says of itself goes before what the elements around it say.
            let bare = || (name == "code").then(|| bare_language(attributes)).flatten();
            let own = if name == "code" || first { language(attributes).or_else(bare) } else { None };
            self.language = own.or_else(|| self.language.take());
        }
        self.loose &= name != "pre";
        if is_line(name) {
            self.break_line();
            opened.line = Some(self.source.len());
        }
    }

    /// Code goes on in a line of its own.
    fn break_line(&mut self) {
        if !self.source.is_empty() && !self.source.ends_with('\n') {
            self.source.push('\n');
        }
    }

    fn start_outside(&mut self, name: &str, attributes: &Attributes, opened: &mut Open<'a>) {
        let highlighter = name == "td"
            && attributes.class == "code"
            && self.stack.iter().rev().take(AROUND).any(|open| open.highlighter);
        if is_code(name, attributes) || highlighter {
            self.end_line(true);
            self.begin_code(attributes);
            self.loose = matches!(name, "div" | "td");
            opened.code = true;
            return;
        }
        match name {
            "td" | "th" => {
                opened.cell = true;
                if !self.layout && self.out.len() > self.start {
                    self.space = true;
                    self.word("|");
                    self.space = true;
                }
                self.row += 1;
            }
            "tr" => {
                self.flush(Kind::Text);
                self.layout = false;
                self.row = 0;
            }
            "a" => opened.link = true,
            "code" | "tt" | "kbd" | "samp" => {
                let before = self.out.len();
                self.word("`");
                opened.backtick = Some((before, self.out.len()));
            }
            "ul" | "ol" => {
                self.end_line(true);
                opened.list = true;
                self.lists.push((name == "ol").then_some(0));
            }
            "li" => {
                self.end_line(true);
                let depth = self.lists.len().saturating_sub(1).min(8);
                self.prefix = "  ".repeat(depth);
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        self.prefix.push_str(&format!("{number}. "));
                    }
                    _ => self.prefix.push_str("- "),
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_line(true);
                self.prefix.clear();
                self.heading = usize::from(name.as_bytes()[1] - b'0');
            }
            "table" => self.end_line(true),
            _ if is_block(name) => self.end_line(false),
            _ => {}
        }
    }

    fn begin_code(&mut self, attributes: &Attributes) {
        self.prefix.clear();
        self.source.clear();
        let around =
            self.stack.iter_mut().rev().take(AROUND).filter(|open| !open.attributes.class.is_empty());
        let named = |open: &mut Open| open.language.get_or_insert_with(|| language(&open.attributes)).clone();
        self.language = language(attributes)
            .or_else(|| bare_language(attributes))
            .or_else(|| around.map(named).find(Option::is_some).flatten());
    }

    /// Puts what was read as code into a fence.
    fn end_code(&mut self) {
        let mut code = std::mem::take(&mut self.source);
        if code.contains('\r') {
            code = code.replace("\r\n", "\n").replace('\r', "\n");
        }
        let language = self.language.take().unwrap_or_default();
        // HTML takes no notice of a line end right behind `<pre>`.
        let code = code.strip_prefix('\n').unwrap_or(&code);
        if code.trim().is_empty() {
            return;
        }
        let mut longest = 2;
        let mut run = 0;
        for byte in code.bytes() {
            run = if byte == b'`' { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        let fence = "`".repeat(longest + 1);
        let end = if code.ends_with('\n') { "" } else { "\n" };
        self.out.push_str(&fence);
        self.out.push_str(&language);
        self.out.push('\n');
        self.out.push_str(code);
        self.out.push_str(end);
        self.out.push_str(&fence);
        self.blocks.push(Block {
            start: self.start,
            end: self.out.len(),
            kind: Kind::Code,
            content: self.content > 0,
            linked: 0,
        });
        self.start = self.out.len();
    }

    fn end(&mut self, key: u64) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        match self.open.get(&key) {
            None | Some(0) => return,
            Some(_) => {}
        }
        while let Some(opened) = self.stack.pop() {
            if let Some(count) = self.open.get_mut(&opened.name) {
                *count -= 1;
            }
            self.close(&opened);
            if opened.name == key {
                return;
            }
        }
    }

    fn close(&mut self, opened: &Open<'a>) {
        let shown = self.furniture == 0;
        if opened.code {
            if let (Some(start), true) = (opened.line, opened.gutter || self.gutter == 0) {
                if self.loose && &self.source[start..] == " " {
                    self.source.truncate(start); // Doxygen has a blank on a line with nothing on it
                }
                if self.source.len() == start {
                    self.source.push('\n'); // a line with nothing on it
                } else {
                    self.break_line();
                }
            }
            self.code -= 1;
            self.gutter -= usize::from(opened.gutter);
            if self.code == 0 {
                self.end_code();
            }
            self.furniture -= usize::from(opened.furniture);
            self.content -= usize::from(opened.content);
            return;
        }
        if shown {
            self.close_shown(opened);
        }
        self.furniture -= usize::from(opened.furniture);
        self.content -= usize::from(opened.content);
        self.links -= usize::from(opened.link);
        self.cells -= usize::from(opened.cell);
    }

    fn close_shown(&mut self, opened: &Open<'a>) {
        match opened.backtick {
            Some((before, behind)) if self.out.len() == behind && self.start <= before => {
                self.space = self.out[before..].starts_with(' ');
                self.out.truncate(before); // nothing between two backticks
            }
            Some(_) => {
                self.space = false;
                self.word("`");
            }
            None => {}
        }
        if opened.list {
            self.flush(Kind::Text);
            self.lists.pop();
        }
        match opened.name {
            name if name == hash("tr") => {
                let kind = if self.row > 1 && !self.layout { Kind::Row } else { Kind::Text };
                self.flush(kind);
                self.layout = false;
            }
            name if opened.cell || name == hash("a") => {}
            name if BLOCKS.with(|blocks| blocks.contains(&name)) => {
                self.end_line(false);
                self.heading = 0;
                if name == hash("li") {
                    self.prefix.clear(); // nothing in it was shown
                }
            }
            _ => {}
        }
    }
}

/// Elements that are lines of code where they are in code.
fn is_line(name: &str) -> bool {
    matches!(name, "div" | "p" | "li" | "tr" | "dd" | "dt" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

thread_local! {
    static BLOCKS: rustc_hash::FxHashSet<u64> = super::names::blocks().map(hash).collect();
}
