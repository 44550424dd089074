//! What parsing a text will take, found by skipping over it: how deep it nests, and how often parts of it are read
//! again.
//!
//! oxc is recursive, so nesting takes stack. And it reads some parts more than once: at `(a`, `([` and the like it tries
//! whether an arrow function begins, goes back if none does, and remembers the place. What `n` such brackets are around
//! is read `n + 1` times, so `(a=(a=(a=` is quadratic, in memory too, since a try leaves its nodes behind. The same
//! holds for `a<b<c` and for arrows with a return type behind `?` in TypeScript.
//!
//! Strings, comments, templates and regular expressions are skipped. Whether `/` divides is decided by what precedes
//! it, and after `)` by the word before its bracket; text of JSX is taken for code. Where that may be wrong, the shape
//! is not [sure](Shape::sure).

use memchr::{memchr, memchr2, memchr3, memmem};

/// See the module.
#[derive(Debug, Default)]
pub struct Shape {
    /// Brackets open at once, at most.
    pub open: usize,
    /// Brackets open at once, and what else makes the parser recurse around the same place, at most. Not for
    /// TypeScript, whose type arguments nest over commas, where chains are taken to end.
    pub levels: usize,
    /// Bytes that are read again, those read again twice counted twice.
    pub again: usize,
    /// Whether nothing in the text could have been taken for something else, if it has no JSX.
    pub sure: bool,
    /// Whether there is a backslash where none can be, in code that is sure: the text does not parse.
    pub broken: bool,
}

/// A bracket that is open.
#[derive(Clone, Copy, Default)]
struct Level {
    close: u8,
    /// What may recurse in the expression that is being read.
    chain: usize,
    /// Words and colons of its statements, which count until it closes: `if (a) b; else if (c) d;` nests.
    statements: usize,
    /// Whether it may be the one of an arrow function.
    arrow: bool,
    /// `<` that may open type arguments, and arrows whose body may be read again.
    angles: usize,
    bodies: usize,
    /// What can begin behind it: a statement, if it follows `if`, `while`, `for` or `with`.
    after: Before,
    /// Whether a `?` came before.
    question: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Before {
    /// An expression can begin.
    Operator,
    /// One has just ended.
    #[default]
    Value,
    /// Either.
    Unknown,
}

/// What a word does to what is read behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A statement may nest behind it.
    Opens,
    /// An expression goes on behind it.
    Chains,
    /// The same, or it is a name.
    MayChain,
    Name,
}

impl Word {
    pub fn of(word: &[u8], member: bool) -> Self {
        if member || !word[0].is_ascii_lowercase() || !(2..=11).contains(&word.len()) {
            return Self::Name;
        }
        match word {
            b"if" | b"else" | b"do" | b"for" | b"while" | b"with" | b"export" | b"declare" | b"namespace"
            | b"module" => Self::Opens,
            b"return" | b"typeof" | b"instanceof" | b"in" | b"new" | b"delete" | b"void" | b"throw"
            | b"case" | b"extends" | b"default" => Self::Chains,
            b"break" | b"continue" | b"debugger" | b"yield" | b"await" | b"of" | b"async" | b"keyof"
            | b"infer" | b"unique" | b"readonly" | b"asserts" | b"is" | b"as" | b"satisfies"
            | b"abstract" | b"class" => Self::MayChain,
            _ => Self::Name,
        }
    }

    /// What it is to what comes directly behind it.
    pub fn before(self) -> Before {
        match self {
            Self::Opens | Self::Chains => Before::Operator,
            Self::MayChain => Before::Unknown,
            Self::Name => Before::Value,
        }
    }
}

/// What can begin behind the bracket that follows this word.
pub fn behind_bracket_after(word: &[u8], member: bool) -> Before {
    match word {
        b"if" | b"while" | b"for" | b"with" if !member => Before::Operator,
        b"await" => Before::Unknown, // `for await (`, or a value
        _ => Before::Value,
    }
}

/// The shape of `text`, in TypeScript or JavaScript.
pub fn shape(text: &str, typescript: bool) -> Shape {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        typescript,
        levels: vec![Level::default()],
        shape: Shape { sure: true, ..Shape::default() },
        ..Scan::default()
    };
    scan.run();
    scan.shape
}

#[derive(Default)]
struct Scan<'a> {
    bytes: &'a [u8],
    typescript: bool,
    levels: Vec<Level>,
    /// Chains of all levels together.
    chains: usize,
    /// Statements of all levels together.
    statements: usize,
    /// What the present place may be read again for, and since where.
    again: usize,
    since: usize,
    shape: Shape,
}

impl Scan<'_> {
    fn run(&mut self) {
        let bytes = self.bytes;
        let (mut at, mut before) = (0, Before::Operator);
        let (mut after, mut member) = (Before::Value, false);
        if bytes.starts_with(b"#!") {
            at = memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
        }
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            at += 1;
            if byte.is_ascii_whitespace() {
                continue;
            }
            if is_name(byte) {
                at += bytes[at..].iter().position(|&b| !is_name(b)).unwrap_or(bytes.len() - at);
                let word = &bytes[start..at];
                before = self.word(word, member);
                after = behind_bracket_after(word, member);
                member = false;
                continue;
            }
            let mut next = Before::Operator;
            match byte {
                b'"' | b'\'' => (at, next) = (string(bytes, at, byte), Before::Value),
                b'`' => {
                    self.chain(1); // tags of tags
                    (at, next) = self.template(at);
                }
                b'/' if bytes.get(at) == Some(&b'/') => {
                    at = line_end(bytes, at);
                    continue;
                }
                b'/' if bytes.get(at) == Some(&b'*') => {
                    at = memmem::find(&bytes[at + 1..], b"*/").map_or(bytes.len(), |i| at + i + 3);
                    continue;
                }
                b'/' if before == Before::Value => self.chain(1),
                b'/' => {
                    self.shape.sure &= before == Before::Operator;
                    (at, next) = (regex(bytes, at), Before::Value);
                }
                b'(' | b'[' | b'{' => self.open(at, byte, before, after),
                b')' | b']' | b'}' => {
                    let closed = self.close(start, byte);
                    match closed.close {
                        b'`' => (at, next) = self.template(at),
                        b'}' => next = Before::Unknown,
                        _ => next = closed.after,
                    }
                }
                b'+' | b'-' if bytes.get(at) == Some(&byte) => {
                    at += 1;
                    self.chain(1);
                    next = before; // behind a value it ends one, else it begins one
                }
                b'.' => {
                    member = bytes.get(at) != Some(&b'.');
                    self.chain(1);
                    before = Before::Value;
                    continue;
                }
                b'#' | b'@' => {}
                _ => self.sign(start, byte),
            }
            (before, after, member) = (next, Before::Value, false);
        }
        self.tell(bytes.len());
    }

    /// Adds up what was read again until here.
    fn tell(&mut self, at: usize) {
        self.shape.again = self.shape.again.saturating_add(self.again.saturating_mul(at - self.since));
        self.since = at;
    }

    fn chain(&mut self, levels: usize) {
        if let Some(level) = self.levels.last_mut() {
            level.chain += levels;
        }
        self.chains += levels;
        let all = self.chains + self.levels.len() + self.statements;
        self.shape.levels = self.shape.levels.max(all);
    }

    fn statement(&mut self) {
        self.levels.last_mut().expect("the text itself is a level").statements += 1;
        self.statements += 1;
    }

    fn word(&mut self, word: &[u8], member: bool) -> Before {
        let word_is = Word::of(word, member);
        match word_is {
            Word::Opens => {
                self.statement();
                self.chain(0);
            }
            Word::Chains | Word::MayChain => self.chain(1),
            Word::Name => self.name(word),
        }
        word_is.before()
    }

    /// A name that is no keyword, but may have escapes in it, or blanks and line ends beyond ASCII.
    fn name(&mut self, name: &[u8]) {
        if let Some(at) = memchr(b'\\', name) {
            self.shape.broken |= self.shape.sure && name.get(at + 1) != Some(&b'u');
            self.shape.sure = false;
        }
        self.shape.sure &= name.is_ascii();
    }

    fn sign(&mut self, at: usize, byte: u8) {
        let bytes = self.bytes;
        match byte {
            b',' | b';' => {
                self.tell(at);
                let level = self.levels.last_mut().expect("the text itself is a level");
                self.chains -= level.chain;
                self.again -= level.bodies;
                (level.chain, level.bodies) = (0, 0);
                if byte == b';' {
                    self.again -= level.angles;
                    (level.angles, level.question) = (0, false);
                }
                return;
            }
            b':' => self.statement(),
            b'?' => self.levels.last_mut().expect("a level").question = true,
            b'<' => {
                self.shape.sure &= !bytes[at..].starts_with(b"<!--");
                self.tell(at);
                self.levels.last_mut().expect("a level").angles += usize::from(self.typescript);
                self.again += usize::from(self.typescript);
            }
            b'>' => {
                self.shape.sure &= !bytes[..=at].ends_with(b"-->");
                let level = self.levels.last_mut().expect("a level");
                if level.angles > 0 && (at == 0 || bytes[at - 1] != b'=') {
                    level.angles -= 1;
                    self.tell(at);
                    self.again -= 1;
                }
            }
            // No type goes on behind these.
            b'=' if bytes.get(at + 1) != Some(&b'>') => self.no_types(at),
            b'&' | b'|' if bytes.get(at + 1) == Some(&byte) => self.no_types(at),
            b'+' | b'*' | b'%' | b'^' | b'!' => self.no_types(at),
            _ => {}
        }
        self.chain(1);
    }

    fn no_types(&mut self, at: usize) {
        let level = self.levels.last_mut().expect("a level");
        if level.angles > 0 {
            let angles = std::mem::take(&mut level.angles);
            self.tell(at);
            self.again -= angles;
        }
    }

    fn open(&mut self, inside: usize, byte: u8, before: Before, after: Before) {
        // Behind a value it is a call.
        let begins = byte == b'(' && before != Before::Value && after != Before::Operator;
        let arrow = begins && may_be_parameters(self.bytes, inside);
        let close = if byte == b'(' { b')' } else { byte + 2 };
        self.push(Level { close, arrow, after, ..Level::default() }, inside);
    }

    fn push(&mut self, level: Level, at: usize) {
        self.tell(at);
        self.again += usize::from(level.arrow);
        self.levels.push(level);
        self.shape.open = self.shape.open.max(self.levels.len() - 1);
        self.chain(0);
    }

    /// Closes the bracket that `byte` closes, and those in it that were not closed.
    fn close(&mut self, at: usize, byte: u8) -> Level {
        self.tell(at);
        let fits = |level: &Level| level.close == byte || level.close == b'`' && byte == b'}';
        let near = self.levels[1..].iter().rev().take(64).position(fits);
        self.shape.sure &= near == Some(0);
        let Some(near) = near else { return Level::default() };
        let mut last = Level::default();
        for _ in 0..=near {
            last = self.levels.pop().expect("it was found");
            self.chains -= last.chain;
            self.statements -= last.statements;
            self.again -= usize::from(last.arrow) + last.angles + last.bodies;
        }
        let around = self.levels.last_mut().expect("a level");
        if last.arrow && self.typescript && around.question && next_byte(self.bytes, at + 1) == Some(b':') {
            around.bodies += 1;
            self.again += 1;
        }
        self.chain(1); // calls of calls
        last
    }

    /// Past the part of a template that begins at `at`, and what can begin there.
    fn template(&mut self, at: usize) -> (usize, Before) {
        let (end, opens) = template(self.bytes, at);
        if !opens {
            return (end, Before::Value);
        }
        self.push(Level { close: b'`', ..Level::default() }, end);
        (end, Before::Operator)
    }
}

/// Past a string whose inside begins at `at`; it ends at the end of a line too.
pub fn string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(i) = memchr3(quote, b'\\', b'\n', &bytes[at.min(bytes.len())..]) {
        at += i + 1;
        if bytes[at - 1] != b'\\' {
            return at;
        }
        at += 1 + usize::from(bytes[at..].starts_with(b"\r\n"));
    }
    bytes.len()
}

/// Past the part of a template that begins at `at`: its end, or `${`; and whether it is the latter.
pub fn template(bytes: &[u8], mut at: usize) -> (usize, bool) {
    while let Some(i) = memchr3(b'`', b'\\', b'$', &bytes[at.min(bytes.len())..]) {
        at += i + 1;
        match bytes[at - 1] {
            b'`' => return (at, false),
            b'$' if bytes.get(at) == Some(&b'{') => return (at + 1, true),
            b'\\' => at += 1,
            _ => {}
        }
    }
    (bytes.len(), false)
}

/// What names and numbers are made of; beyond ASCII, and behind a backslash, it is not looked closely.
pub const fn is_name(byte: u8) -> bool {
    static NAMES: [bool; 256] = {
        let (mut names, mut byte) = ([false; 256], 0);
        while byte < 256 {
            let b = byte as u8;
            names[byte] = b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'\\') || b >= 0x80;
            byte += 1;
        }
        names
    };
    NAMES[byte as usize]
}

/// The next byte that is no blank, from `at` on.
fn next_byte(bytes: &[u8], at: usize) -> Option<u8> {
    bytes[at.min(bytes.len())..].iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Whether the parser tries for an arrow function at a `(` with this inside. A comment may hide what it is.
pub fn may_be_parameters(bytes: &[u8], inside: usize) -> bool {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let at = inside + bytes[inside..].iter().take(100).take_while(|byte| is_blank(byte)).count();
    match bytes.get(at) {
        Some(b'[' | b'{' | b'.' | b')' | b'/' | b'@') => return true,
        Some(&byte) if is_name(byte) && !byte.is_ascii_digit() => {}
        Some(byte) => return is_blank(byte),
        None => return false,
    }
    let end = at + bytes[at..].iter().take(1000).take_while(|&&byte| is_name(byte)).count();
    let after = end + bytes[end..].iter().take(100).take_while(|byte| is_blank(byte)).count();
    match bytes.get(after) {
        Some(b'=') => bytes.get(after + 1) != Some(&b'='),
        Some(byte) => matches!(byte, b',' | b')' | b':' | b'?' | b'/') || is_blank(byte) || is_name(*byte),
        None => false,
    }
}

/// The end of a line comment, which four characters end.
pub fn line_end(bytes: &[u8], at: usize) -> usize {
    let end = memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |i| at + i);
    let mut from = at;
    while let Some(i) = memchr(0xE2, &bytes[from..end]) {
        from += i + 1;
        if matches!(bytes[from..end], [0x80, 0xA8 | 0xA9, ..]) {
            return from + 2;
        }
    }
    end
}

/// Past a regular expression whose inside begins at `at`, which is on one line.
pub fn regex(bytes: &[u8], at: usize) -> usize {
    let (mut end, mut class) = (at, false);
    while let Some(&byte) = bytes.get(end) {
        end += 1;
        match byte {
            b'\n' => break,
            b'\\' => end += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => break,
            _ => {}
        }
    }
    end.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn what_is_no_code_is_skipped() {
        for text in [
            "a(\"(\\\"(\", '(')",
            "a() // (((\nb()",
            "a(/* ((( */)",
            "a(/[/(]\\/(/)",
            "if (a) /(((/.test(b)",
            "#!((((\na()",
            "x = y / 2 + (z) / 2",
            "a = b++ / c; (d) / e",
        ] {
            let shape = shape(text, false);
            assert!(shape.open == 1 && shape.sure, "{text}: {shape:?}");
        }
        assert_eq!(shape("`${`${`${a}`}`}`", false).open, 3);
        assert_eq!(shape("a(`(\\`(${b}(`)", false).open, 2);
    }

    #[test]
    fn what_may_mislead_is_not_sure() {
        for text in
            ["{}/(/", "for await (a) /(/", "<!-- (", "a\n--> (", "a\u{2028}b", "\\u0061", "yield /(/", "(]"]
        {
            assert!(!shape(text, false).sure, "{text}");
        }
    }

    #[test]
    fn backslashes_in_code_are_errors() {
        assert!(shape("a = \\;", false).broken && shape("\\\\\\", true).broken);
        assert!(!shape("\\u0061 = '\\n' + /\\n/ + `\\n`; // \\n", false).broken);
        assert!(!shape("{}/\\n/", false).broken);
    }

    #[test]
    fn chains_end_where_expressions_end() {
        let chain = |text: &str| shape(&text.repeat(1000), false).levels;
        assert!(chain("a=") >= 1000 && chain("!") >= 1000 && chain("if(a)b;else ") >= 2000);
        assert!(chain("a:") >= 1000 && chain("(") >= 1000 && chain("a?b:") >= 1000 && chain("f(") >= 1000);
        assert!(chain("a = b, c = !d;\n") < 10 && chain("(a = b);[c]") < 10);
        assert!(chain("function f() { if (a) b; else c; }\n") < 2010); // a block of its own each, closed again
    }

    #[test]
    fn what_is_read_again() {
        let times = |text: &str, typescript| shape(text, typescript).again as f64 / text.len() as f64;
        let long = "x".repeat(10_000);
        assert!(times(&format!("(a={long})"), false) > 0.9);
        assert!(times(&format!("(a=(b,([{long}]), c))"), false) > 2.9);
        assert!(times(&format!("(1,f({long}))"), false) < 0.1);
        assert!(times(&format!("a<b<c<{long}"), true) > 2.9);
        assert!(times(&format!("a<b; c<d && {long}"), true) < 0.1);
        assert!(times(&format!("a ? (b) : c => {long}"), true) > 0.9);
    }
}
