//! The [shape](super::shape) of plain JavaScript, for two thirds of what measuring all of it costs.
//!
//! Of most texts only brackets and what hides them matter: how many are open, and how many of these may be tried as
//! heads of arrow functions. So all other bytes are stepped over with one look into a table each; what stands directly
//! before a `(` or a `/` is found by looking back from there. Over files of ordinary size this takes 2.6 ns per byte
//! where the shape takes 4.0.

use super::shape::{Before, Word, behind_bracket_after, is_name, line_end, may_be_parameters};
use super::shape::{regex, string, template};
use memchr::{memchr2, memmem};

/// See the module.
#[derive(Debug, Default)]
pub struct Skim {
    /// As in the shape.
    pub open: usize,
    /// As in the shape.
    pub again: usize,
    /// At least as many as in the shape: what may chain counts until the bracket around it closes.
    pub levels: usize,
    /// Whether the shape is sure, too.
    pub sure: bool,
}

/// Bytes at which something has to be done.
const STOP: u64 = u64::MAX;
/// What a byte beyond ASCII counts, apart from levels.
const BEYOND: u64 = 1 << 32;

/// How many levels a byte can open, the one of a word behind it included.
static WEIGHTS: [u64; 256] = {
    let (mut weights, mut byte) = ([0; 256], 0);
    while byte < 256 {
        weights[byte] = match byte as u8 {
            b'"' | b'\'' | b'`' | b'/' | b'\\' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => STOP,
            0x80.. => BEYOND,
            b if is_name(b) => 0,
            b if b.is_ascii_whitespace() => 1,
            b':' => 3,
            _ => 2,
        };
        byte += 1;
    }
    weights
};

/// What is known of a place from what stands before it.
#[derive(Clone, Copy)]
struct State {
    before: Before,
    /// What can begin behind the bracket that opens here.
    after: Before,
    /// Whether a word here is a property.
    member: bool,
}

impl State {
    const fn of(before: Before) -> Self {
        Self { before, after: Before::Value, member: false }
    }
}

/// A bracket that is open.
#[derive(Clone, Copy, Default)]
struct Level {
    close: u8,
    arrow: bool,
    after: Before,
    weight: usize,
}

struct Scan<'a> {
    bytes: &'a [u8],
    levels: Vec<Level>,
    /// Weights of all levels together.
    weight: usize,
    /// The end of the last token that was looked at, and what is known there.
    mark: usize,
    state: State,
    /// Brackets around the present place that are tried, and where the last of them opened or closed.
    tried: usize,
    since: usize,
    skim: Skim,
}

/// Skims over `text`; `None` if there is a backslash in code, which only the shape knows how to take.
pub fn skim(text: &str) -> Option<Skim> {
    let bytes = text.as_bytes();
    let has_html_comment = ["<!--", "-->"].iter().any(|mark| memmem::find(bytes, mark.as_bytes()).is_some());
    let mut scan = Scan {
        bytes,
        levels: vec![Level::default()],
        weight: 0,
        mark: 0,
        state: State::of(Before::Operator),
        tried: 0,
        since: 0,
        skim: Skim { sure: !has_html_comment, ..Skim::default() },
    };
    scan.run()?;
    Some(scan.skim)
}

impl Scan<'_> {
    fn run(&mut self) -> Option<()> {
        if self.bytes.starts_with(b"#!") {
            self.mark = memchr2(b'\n', b'\r', self.bytes).unwrap_or(self.bytes.len());
        }
        while let Some(stop) = self.next_stop() {
            match self.bytes[stop] {
                b'\\' => return None,
                quote @ (b'"' | b'\'') => self.past(string(self.bytes, stop + 1, quote), Before::Value),
                b'`' => self.template(stop + 1),
                b'/' => self.slash(stop),
                bracket @ (b'(' | b'[' | b'{') => self.open(stop, bracket),
                bracket => self.close(stop, bracket),
            }
        }
        self.tell(self.bytes.len());
        Some(())
    }

    /// The next byte at which something has to be done, after adding up what is before it.
    fn next_stop(&mut self) -> Option<usize> {
        let mut weights = 1; // a word right behind the token before
        let mut stop = None;
        for (i, &byte) in self.bytes[self.mark..].iter().enumerate() {
            let weight = WEIGHTS[usize::from(byte)];
            if weight == STOP {
                stop = Some(self.mark + i);
                break;
            }
            weights += weight;
        }
        self.skim.sure &= weights < BEYOND;
        self.weigh(weights as u32 as usize);
        stop
    }

    fn weigh(&mut self, weight: usize) {
        self.levels.last_mut().expect("the text itself is a level").weight += weight;
        self.weight += weight;
        self.skim.levels = self.skim.levels.max(self.weight + self.levels.len());
    }

    /// Goes on at `at`, behind a token.
    fn past(&mut self, at: usize, before: Before) {
        (self.mark, self.state) = (at, State::of(before));
    }

    fn template(&mut self, inside: usize) {
        let (end, opens) = template(self.bytes, inside);
        self.weigh(1);
        if opens {
            self.push(Level { close: b'`', ..Level::default() }, end);
        }
        self.past(end, if opens { Before::Operator } else { Before::Value });
    }

    fn slash(&mut self, at: usize) {
        let state = behind(&self.bytes[self.mark..at], self.state);
        match self.bytes.get(at + 1) {
            Some(b'/') => (self.mark, self.state) = (line_end(self.bytes, at + 1), state),
            Some(b'*') => {
                let end = memmem::find(&self.bytes[at + 2..], b"*/").map_or(self.bytes.len(), |i| at + i + 4);
                (self.mark, self.state) = (end, state);
            }
            _ if state.before == Before::Value => {
                self.weigh(1);
                self.past(at + 1, Before::Operator);
            }
            _ => {
                self.skim.sure &= state.before == Before::Operator;
                self.past(regex(self.bytes, at + 1), Before::Value);
            }
        }
    }

    /// Adds up what is read again until here.
    fn tell(&mut self, at: usize) {
        self.skim.again = self.skim.again.saturating_add(self.tried.saturating_mul(at - self.since));
        self.since = at;
    }

    fn open(&mut self, at: usize, bracket: u8) {
        let State { before, after, .. } = behind(&self.bytes[self.mark..at], self.state);
        // Behind a value it is a call.
        let begins = bracket == b'(' && before != Before::Value && after != Before::Operator;
        let arrow = begins && may_be_parameters(self.bytes, at + 1);
        let close = if bracket == b'(' { b')' } else { bracket + 2 };
        self.push(Level { close, arrow, after, weight: 0 }, at + 1);
        self.past(at + 1, Before::Operator);
    }

    fn push(&mut self, level: Level, at: usize) {
        if level.arrow {
            self.tell(at);
            self.tried += 1;
        }
        self.levels.push(level);
        self.skim.open = self.skim.open.max(self.levels.len() - 1);
    }

    /// Closes the bracket that `byte` closes, and those in it that were not closed.
    fn close(&mut self, at: usize, byte: u8) {
        let fits = |level: &Level| level.close == byte || level.close == b'`' && byte == b'}';
        let near = self.levels[1..].iter().rev().take(64).position(fits);
        self.skim.sure &= near == Some(0);
        let mut last = Level::default();
        for _ in 0..near.map_or(0, |near| near + 1) {
            last = self.levels.pop().expect("it was found");
            self.weight -= last.weight;
            if last.arrow {
                self.tell(at);
                self.tried -= 1;
            }
        }
        self.weigh(1); // calls of calls
        match last.close {
            b'`' => self.template(at + 1),
            b'}' => self.past(at + 1, Before::Unknown),
            _ => self.past(at + 1, last.after),
        }
    }
}

/// What is known at the end of `region`, in which there are names, blanks and signs, from what is at its start.
fn behind(region: &[u8], start: State) -> State {
    let region = region.trim_ascii_end();
    match region.last() {
        None => start,
        Some(b'.') => State { before: Before::Value, after: behind_dots(region, start), member: true },
        Some(b'+' | b'-') => State::of(behind_signs(region, start)),
        Some(&byte) if is_name(byte) => behind_word(region, start),
        Some(_) => State::of(Before::Operator),
    }
}

fn behind_word(region: &[u8], start: State) -> State {
    let at = region.iter().rposition(|&byte| !is_name(byte)).map_or(0, |i| i + 1);
    let (head, word) = (region[..at].trim_ascii_end(), &region[at..]);
    let member = head.last().map_or(start.member, |&byte| byte == b'.');
    State {
        before: Word::of(word, member).before(),
        after: behind_bracket_after(word, member),
        member: false,
    }
}

/// Dots leave what can begin behind a bracket as it was.
fn behind_dots(region: &[u8], start: State) -> Before {
    let end = region.iter().rposition(|&byte| byte != b'.' && !byte.is_ascii_whitespace());
    match end {
        None => start.after,
        Some(end) if is_name(region[end]) => behind_word(&region[..=end], start).after,
        Some(_) => Before::Value,
    }
}

/// `++` and `--` leave what can begin as it was.
fn behind_signs(mut region: &[u8], start: State) -> Before {
    while let Some(&sign @ (b'+' | b'-')) = region.last() {
        let length = region.iter().rev().take_while(|&&byte| byte == sign).count();
        if length % 2 == 1 {
            return Before::Operator;
        }
        region = region[..region.len() - length].trim_ascii_end();
    }
    behind(region, start).before
}

#[cfg(test)]
mod tests {
    use super::super::shape::shape;
    use super::skim;

    /// What the scans take notice of, and some of what they do not.
    const PIECES: &[&str] = &[
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "`",
        "${",
        "/",
        "//",
        "/*",
        "*/",
        "\n",
        " ",
        "\r\n",
        "+",
        "++",
        "--",
        "-",
        ".",
        "..",
        "=",
        "=>",
        "?",
        ":",
        ",",
        ";",
        "<",
        ">",
        "!",
        "#",
        "@",
        "\x0B",
        "a",
        "if",
        "while",
        "await",
        "yield",
        "return",
        "of",
        "else",
        "class",
        "1",
        "é",
        "\u{2028}",
        "<!--",
        "-->",
        "(a,",
        "(a=",
        "if(",
        "\\",
        "\\u0061",
        "a.if(b)/c",
        "for.(a)/b",
    ];

    #[test]
    fn what_is_skimmed_is_the_shape() {
        let mut seed = 1_u64;
        let mut below = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % most
        };
        let (mut skimmed, mut sure) = (0, 0);
        for _ in 0..100_000 {
            let text: String = (0..below(25)).map(|_| PIECES[below(PIECES.len())]).collect();
            let shape = shape(&text, false);
            let Some(skim) = skim(&text) else { continue };
            assert_eq!((skim.open, skim.again), (shape.open, shape.again), "{text:?}");
            assert!(skim.levels >= shape.levels && !shape.broken, "{text:?}: {skim:?}, {shape:?}");
            assert!(shape.sure || !skim.sure, "{text:?}");
            (skimmed, sure) = (skimmed + 1, sure + usize::from(skim.sure));
        }
        assert!(skimmed > 40_000 && sure > 4_000, "{skimmed}, {sure}");
    }

    #[test]
    fn what_is_looked_back_at_is_looked_at_once() {
        for piece in [".", "..", "++", "++ ", "a", "- ", "+-", "\n", "a.", "if."] {
            let region = piece.repeat(200_000);
            skim(&[&*region, &"(".repeat(1000), &"[/".repeat(1000)].concat());
            skim(&(region + "/").repeat(5));
        }
    }
}
