//! Signals of prose.

use super::characters::characters;
use super::classes::{ASCII, LOWER, SIGNS, SPACE, UPPER, WORD_A, WORDS, is, length, of, raw_words};
use super::code::hex_word_chars;
use super::interner::Interner;
use super::lines::{is_blank, layout, lines};
use super::natural::Natural;
use super::{Applies, Document, ratio, round8, signals};
use memchr::{memchr2, memmem, memrchr};
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// What ends a sentence.
fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '。' | '！' | '？' | '؟')
}

/// What a line begins with that is an item of a list (no ASCII `-` or `*`).
fn is_bullet(c: char) -> bool {
    matches!(c as u32,
        0x2022 | 0x2023 | 0x2043 | 0x204C | 0x204D | 0x2219 | 0x25A0..=0x25AF | 0x25C6..=0x25CB | 0x25CF..=0x25D6
        | 0x25D8 | 0x25D9 | 0x25E2..=0x25E6 | 0x25EF | 0x2611 | 0x2612 | 0x29BE | 0x2B1B | 0x2B1C | 0x2B1E | 0x2B1F
        | 0x2B24)
}

/// The commonest English words without meaning of their own.
static STOP_WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    [
        "a", "about", "above", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at",
        "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "could",
        "did", "do", "does", "doing", "down", "during", "each", "either", "else", "ever", "every", "few",
        "for", "from", "further", "had", "has", "have", "having", "he", "her", "here", "him", "his", "how",
        "i", "if", "in", "into", "is", "it", "its", "just", "like", "may", "me", "might", "more", "most",
        "must", "my", "no", "nor", "not", "now", "of", "off", "on", "once", "only", "or", "other", "our",
        "out", "over", "own", "same", "shall", "she", "should", "since", "so", "some", "such", "than",
        "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through", "to",
        "too", "under", "until", "up", "upon", "us", "very", "was", "we", "were", "what", "when", "where",
        "which", "while", "who", "whom", "why", "will", "with", "without", "would", "yet", "you",
    ]
    .into_iter()
    .collect()
});

const LONGEST_STOP_WORD: usize = 7;

const READ_MORE: [&str; 12] = [
    "...",
    "…",
    "全文",
    "详情",
    "详细",
    "更多",
    "المزيد",
    "تفاصيل",
    "اقرأ المزيد",
    "もっと",
    "詳細",
    "もっと読む",
];

/// Counts of raw words: all, English words without meaning of their own, full-width brackets, words in capitals.
#[derive(Default)]
pub struct WordCounts {
    all: usize,
    stop: usize,
    brackets: usize,
    capitals: usize,
}

impl WordCounts {
    /// Counts the raw words of `text`.
    pub fn of(text: &str) -> Self {
        let mut counts = Self::default();
        if text.is_ascii() {
            let bytes = text.as_bytes();
            counts.all = SIGNS.runs(bytes).count();
            for word in WORDS.runs(bytes).map(|(start, end)| &text[start..end]) {
                counts.add(word, word.bytes().fold(0, |classes, byte| classes | ASCII[byte as usize]));
            }
        } else {
            for word in raw_words(text) {
                counts.add(word, word.chars().fold(0, |classes, c| classes | of(c)));
            }
        }
        counts
    }

    /// Adds a word with characters of these classes.
    #[inline]
    fn add(&mut self, word: &str, classes: u8) {
        self.all += 1;
        self.stop += usize::from(word.len() <= LONGEST_STOP_WORD && STOP_WORDS.contains(word));
        self.brackets += usize::from(word == "【" || word == "】");
        self.capitals += usize::from(classes & UPPER != 0 && classes & LOWER == 0);
    }
}

/// What raw lines count, in one pass over them.
#[derive(Default)]
pub struct LineCounts {
    readmore: usize,
    bullets: usize,
    headings: usize,
    fenced: usize,
    /// Lines that are not blank, stripped: how many, and how long together.
    visible: (usize, usize),
    /// Those of them that occur twice or more.
    copied: (usize, usize),
}

impl LineCounts {
    /// Looks at the lines of `text`.
    pub fn of(text: &str) -> Self {
        let mut counts = Self::default();
        let (mut table, mut found) = (Interner::default(), Vec::<(usize, usize)>::new()); // how often, and how long
        let mut inside = false; // a fence
        for line in lines(text) {
            counts.fenced += usize::from(inside);
            if is_blank(line) {
                continue;
            }
            let body = line.trim_matches(|c| is(c, SPACE));
            let end = body.trim_end_matches([']', '】', ')', '>', '》']);
            counts.readmore += usize::from(READ_MORE.iter().any(|more| end.ends_with(more)));
            counts.bullets += usize::from(body.chars().next().is_some_and(is_bullet));
            counts.headings += usize::from(line.starts_with('#'));
            let start = line.trim_start();
            if start.starts_with("```") || start.starts_with("~~~") {
                counts.fenced += usize::from(!inside);
                inside = !inside;
            }
            match found.get_mut(table.number(body.as_bytes(), 0, body.len()) as usize) {
                Some((count, _)) => *count += 1,
                None => found.push((1, length(body))),
            }
        }
        let sum = |least: usize| {
            let lines = found.iter().filter(|&&(count, _)| count >= least);
            lines.fold((0, 0), |(counts, chars), &(count, length)| (counts + count, chars + count * length))
        };
        (counts.visible, counts.copied) = (sum(1), sum(2));
        counts
    }
}

/// Characters in `(http://…)`, up to the last bracket of the run of non-blanks.
fn link_chars(text: &str) -> usize {
    let (mut sum, mut at) = (0, 0);
    let (mut run_end, mut last) = (0, None); // of the run of non-blanks that is being looked at
    while let Some(open) = memmem::find(&text.as_bytes()[at..], b"(http").map(|found| at + found) {
        at = open + 1;
        let rest = &text[open + 5..];
        let Some(body) = rest.strip_prefix("s://").or_else(|| rest.strip_prefix("://")) else { continue };
        let start = text.len() - body.len();
        if start >= run_end {
            run_end = text.len() - body.trim_start_matches(|c| !is(c, SPACE)).len();
            last = memrchr(b')', &text.as_bytes()[start..run_end]).map(|found| start + found);
        }
        if let Some(close) = last.filter(|&close| close > start) {
            sum += length(&text[open..=close]);
            at = close + 1;
        }
    }
    sum
}

/// Characters in `<…>` on one line.
fn tag_chars(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut sum, mut at) = (0, 0);
    while let Some(open) = memchr::memchr(b'<', &bytes[at..]).map(|found| at + found) {
        let Some(end) = memchr2(b'>', b'\n', &bytes[open..]).map(|found| open + found) else { break };
        if bytes[end] == b'>' {
            sum += length(&text[open..=end]);
        }
        at = end + 1;
    }
    sum
}

/// What raw lines count in prose.
fn line_counts<'d>(document: &'d Document<'_>) -> &'d LineCounts {
    document.derived(|| LineCounts::of(document.content))
}

/// Counts of raw words.
fn word_counts<'d>(document: &'d Document<'_>) -> &'d WordCounts {
    document.derived(|| WordCounts::of(document.content))
}

signals! {
    family "text", version 1, Applies::Text;

    /// Share of curly brackets.
    ///
    /// Unit: fraction of characters; 0 for empty content.
    /// Null: never.
    /// Why: prose has none; code under the name of prose has.
    /// From: opc_data_filtering, `frac_chars_curly_bracket`; C4.
    /// Example: markdown "{a}\n" → 0.5
    fn frac_chars_curly_brackets(document) {
        let bytes = &characters(document).bytes;
        ratio(bytes[b'{' as usize] + bytes[b'}' as usize], characters(document).all).or(Some(0.0))
    }

    /// Share of raw words that are English words without meaning of their own, in lower case.
    ///
    /// Unit: fraction of raw words; 0 if there are no normalised words.
    /// Null: the text is not English.
    /// Why: prose is full of them; lists and tables are not.
    /// From: opc_data_filtering, `frac_words_redpajama_stop`, with a list of our own and for English only.
    /// Example: markdown "the cat is here" → 0.75
    fn frac_words_stop(document) {
        let counts = word_counts(document);
        (document.natural() == Natural::En).then(|| ratio(counts.stop, counts.all).unwrap_or(0.0))
    }

    /// Number of sentences: from a word to the next sign that ends one, or to the end of the text.
    ///
    /// Unit: sentences.
    /// Null: never.
    /// Why: prose has some.
    /// From: opc_data_filtering, `num_sentences`; RedPajama-V2.
    /// Example: markdown "One. Two! And three" → 3
    fn num_sentences(document) {
        let (mut count, mut previous) = (0_u64, false);
        let mut chars = document.content.chars().peekable();
        while let Some(c) = chars.next() {
            let word = is(c, WORD_A);
            if word == previous || ends_sentence(c) {
                previous = word;
                continue;
            }
            count += 1;
            previous = word;
            let mut ended = false;
            while let Some(&next) = chars.peek() {
                if ended && !ends_sentence(next) {
                    break;
                }
                ended |= ends_sentence(next);
                previous = is(next, WORD_A);
                chars.next();
            }
        }
        Some(count as f64)
    }

    /// Share of raw words that are a full-width bracket, 【 or 】.
    ///
    /// Unit: fraction of raw words.
    /// Null: no words.
    /// Why: advertisements in Chinese text.
    /// From: opc_data_filtering, `frac_words_full_bracket`.
    /// Example: markdown "【 a 】 b" → 0.5
    fn frac_words_fullwidth_brackets(document) { ratio(word_counts(document).brackets, word_counts(document).all) }

    /// Share of raw lines that end in an ellipsis or in words such as 更多, "more".
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: teasers cut off in the middle.
    /// From: opc_data_filtering, `frac_lines_end_with_readmore`; Gopher.
    /// Example: markdown "go on...\nend\n" → 0.5
    fn frac_lines_end_with_readmore(document) { ratio(line_counts(document).readmore, layout(document).count) }

    /// Share of raw lines that begin with a bullet (no ASCII `-` or `*`).
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: lists without text between.
    /// From: opc_data_filtering, `frac_lines_start_with_bullet`; Gopher.
    /// Example: markdown "• a\nb\n" → 0.5
    fn frac_lines_start_with_bullet(document) { ratio(line_counts(document).bullets, layout(document).count) }

    /// Share of raw words in capitals.
    ///
    /// Unit: fraction of raw words.
    /// Null: no words.
    /// Why: shouting, headings, tables of constants.
    /// From: opc_data_filtering, `frac_words_all_caps`; RedPajama-V2.
    /// Example: markdown "READ this A1 2\n" → 0.5
    fn frac_words_all_caps(document) { ratio(word_counts(document).capitals, word_counts(document).all) }

    /// Share of lines that occur twice or more, stripped, blank ones left out.
    ///
    /// Unit: fraction of lines.
    /// Null: no such line.
    /// Why: menus and footers.
    /// From: opc_data_filtering, `frac_lines_dupe_lines` of text; Gopher.
    /// Example: markdown "a\n a\nb\nc\n" → 0.5
    fn text_frac_lines_dupe_lines(document) { ratio(line_counts(document).copied.0, line_counts(document).visible.0) }

    /// The same weighted by the length of the lines.
    ///
    /// Unit: fraction of characters.
    /// Null: no such line.
    /// Why: menus and footers.
    /// From: opc_data_filtering, `frac_chars_dupe_lines`; Gopher.
    /// Example: markdown "ab\nab\nc\n" → 0.8
    fn text_frac_chars_dupe_lines(document) { ratio(line_counts(document).copied.1, line_counts(document).visible.1) }

    /// Whether the file's name is one that text about code has, such as requirements, readme, notes or todo.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: such files are worth keeping where other text is not.
    /// From: opc_data_filtering, `cate_code_related_file_name`.
    /// Example: markdown "# Readme\n" → 0
    fn is_code_related_file_name(document) {
        let name = document.file_name().split('.').next().unwrap_or("").to_lowercase();
        let exact = ["readme", "notes", "todo", "description", "cmakelists"];
        Some(f64::from(name.contains("requirement") || exact.contains(&name.as_str())))
    }

    /// Mean length of the pieces between `.`, `?`, `!` and line feeds, empty ones included.
    ///
    /// Unit: characters; 0 for empty content.
    /// Null: never.
    /// Why: prose has sentences.
    /// From: opc_data_filtering, `num_chars_sentence_length_mean`.
    /// Example: markdown "abc.de" → 2.5
    fn mean_sentence_length_chars(document) {
        let counts = characters(document);
        let cuts: usize = [b'.', b'?', b'!', b'\n'].iter().map(|&cut| counts.bytes[cut as usize]).sum();
        ratio(counts.all - cuts, cuts + 1)
    }

    /// Characters in bracketed links and in tags.
    ///
    /// Unit: fraction of characters; can exceed 1.
    /// Null: empty content.
    /// Why: lists of links, pages of markup.
    /// From: opc_data_filtering, `frac_chars_hyperlink_html_tag`.
    /// Example: markdown "<b>x</b>(http://a.b)" → 0.95
    fn frac_chars_links_and_tags(document) {
        ratio(link_chars(document.content) + tag_chars(document.content), characters(document).all)
    }

    /// Share of letters among the characters that are not whitespace, of English text.
    ///
    /// Unit: fraction of visible characters; 0 if there are none.
    /// Null: the text is not English.
    /// Why: prose is letters.
    /// From: opc_data_filtering, `frac_chars_alphabet` of text.
    /// Example: markdown "ab, c\n" → 0.75
    fn text_frac_chars_alphabet(document) {
        let counts = characters(document);
        (document.natural() == Natural::En).then(|| ratio(counts.letter, counts.visible()).unwrap_or(0.0))
    }

    /// Length of hexadecimal numbers over that of the content.
    ///
    /// Unit: fraction of characters.
    /// Null: empty content.
    /// Why: dumps.
    /// From: opc_data_filtering, `frac_chars_hex_words` of text.
    /// Example: markdown "0xff abc" → 0.5
    fn text_frac_chars_hex_words(document) {
        ratio(hex_word_chars(document.content, WORD_A), characters(document).all)
    }

    /// Share of raw lines that begin with `#`, the headings of Markdown.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: headings without text between are a skeleton.
    /// From: ours.
    /// Example: markdown "# A\ntext\n" → 0.5
    fn frac_lines_headings(document) { ratio(line_counts(document).headings, layout(document).count) }

    /// Share of raw lines that are within fenced code blocks, the fences included.
    ///
    /// Unit: fraction of raw lines.
    /// Null: no lines.
    /// Why: tutorials have much code, and are what a code model wants of prose.
    /// From: ours.
    /// Example: markdown "a\n```\nx\n```\n" → 0.75
    fn frac_lines_fenced_code(document) { ratio(line_counts(document).fenced, layout(document).count) }

    /// Mean number of raw words in the lines that are not blank.
    ///
    /// Unit: words per line.
    /// Null: no such line.
    /// Why: lists and tables have few, prose has many.
    /// From: ours.
    /// Example: markdown "a b c\n\nd\n" → 2
    fn mean_words_per_line(document) {
        let visible = layout(document).visible();
        (visible > 0).then(|| round8(word_counts(document).all as f64 / visible as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_STOP_WORD, STOP_WORDS, WordCounts, link_chars, tag_chars};

    #[test]
    fn no_stop_word_is_longer_than_is_looked_up() {
        assert_eq!(STOP_WORDS.iter().map(|word| word.len()).max(), Some(LONGEST_STOP_WORD));
    }

    #[test]
    fn raw_words_of_ascii_are_those_of_any_text() {
        let text: String =
            (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as u8 as char).collect();
        let text = text + " Is IT a_B 4X \x1C\x1F\x0B;;a the";
        let (fast, slow) = (WordCounts::of(&text), WordCounts::of(&format!("{text} é")));
        assert_eq!((fast.all + 1, fast.stop, fast.capitals), (slow.all, slow.stop, slow.capitals));
    }

    #[test]
    fn links_run_to_the_last_bracket() {
        assert_eq!(link_chars("(http://a)b) x"), 12);
        assert_eq!(link_chars("(https://a b) (http://)"), 0);
        assert_eq!(link_chars("(http(http://a)"), 10);
        assert_eq!((tag_chars("<a\n>"), tag_chars("<a><b> <"), tag_chars("<<>")), (0, 6, 3));
    }

    #[test]
    fn hostile_links_and_tags_come_to_an_end() {
        let _ = (link_chars(&"(http://".repeat(500_000)), tag_chars(&"<".repeat(4_000_000)));
        let _ = link_chars(&("(http://a)".repeat(300_000) + &"(http://a".repeat(300_000)));
    }
}
