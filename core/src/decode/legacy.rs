//! Encodings from before UTF-8: which one a file is in, told by how likely its text would be.
//!
//! A candidate is an encoding together with a language. It explains the bytes at a cost in bits: what an encoder for
//! that language, with the character frequencies of `frequencies.txt`, would need for them. The cheapest candidate
//! whose encoding decodes the whole file wins, and a cost that no language would have means that this is no text.
//! Costs add up over all bytes, so a candidate that swallows ASCII letters as second halves of two-byte characters, or
//! puts Cyrillic inside Latin words, pays for it.
//!
//! Why not `chardetng`, the detector of Firefox: it is made for web pages, where most bytes are prose. In source code
//! the few comments decide. Accuracy of both: docs/encodings.md.

use super::declared::{self, Decoder};
use super::single_byte;
use encoding_rs::DecoderResult;
use std::collections::HashMap;
use std::sync::OnceLock;

/// An encoding that is tried: its name, decoder, languages, and a handicap in bits.
///
/// The handicap says how much rarer it is in source code than Windows-1252, the choice where nothing speaks for
/// anything: a lone © is the same byte in all Windows code pages. It only matters for a handful of characters.
struct Candidate(&'static str, Decoder, &'static [&'static str], f32);

const WESTERN: &[&str] = &["german", "french", "spanish", "portuguese", "italian", "swedish", "danish"];
const CENTRAL: &[&str] = &["polish", "czech", "hungarian", "romanian", "croatian"];
const CYRILLIC: &[&str] = &["russian", "ukrainian", "bulgarian", "serbian"];

static CANDIDATES: [Candidate; 17] = [
    Candidate("windows-1252", Decoder::Standard(encoding_rs::WINDOWS_1252), WESTERN, 0.0),
    Candidate("gb18030", Decoder::Standard(encoding_rs::GB18030), &["chinese"], 3.0),
    Candidate("shift_jis", Decoder::Standard(encoding_rs::SHIFT_JIS), &["japanese"], 3.0),
    Candidate("euc-jp", Decoder::Standard(encoding_rs::EUC_JP), &["japanese"], 4.0),
    Candidate("euc-kr", Decoder::Standard(encoding_rs::EUC_KR), &["korean"], 3.0),
    Candidate("big5", Decoder::Standard(encoding_rs::BIG5), &["taiwanese"], 5.0),
    Candidate("windows-1251", Decoder::Standard(encoding_rs::WINDOWS_1251), CYRILLIC, 3.0),
    Candidate("koi8-r", Decoder::Standard(encoding_rs::KOI8_R), &["russian"], 5.0),
    Candidate("koi8-u", Decoder::Standard(encoding_rs::KOI8_U), &["ukrainian"], 8.0),
    Candidate("ibm866", Decoder::Standard(encoding_rs::IBM866), &["russian"], 10.0),
    Candidate("windows-1250", Decoder::Standard(encoding_rs::WINDOWS_1250), CENTRAL, 5.0),
    Candidate("iso-8859-2", Decoder::Standard(encoding_rs::ISO_8859_2), CENTRAL, 5.0),
    Candidate("windows-1253", Decoder::Standard(encoding_rs::WINDOWS_1253), &["greek"], 8.0),
    Candidate("windows-1254", Decoder::Standard(encoding_rs::WINDOWS_1254), &["turkish"], 8.0),
    Candidate("cp437", Decoder::Page(&single_byte::CP437), WESTERN, 10.0),
    Candidate("cp850", Decoder::Page(&single_byte::CP850), WESTERN, 12.0),
    Candidate("macintosh", Decoder::Standard(encoding_rs::MACINTOSH), WESTERN, 10.0),
];

/// The bits that an ASCII character costs, whatever the language.
const ASCII_COST: f32 = 5.0;
/// The bits that a character costs which its language does not list.
const UNLISTED_COST: f32 = 18.0;
const UNLISTED: u8 = u8::MAX;
/// Symbols belong to no language (see [`neutral`]): one that stands alone, and one next to another or to a word.
const SYMBOL_COST: (f32, f32) = (6.0, 11.0);
/// A symbol directly before an ASCII letter, an apostrophe excepted.
const SYMBOL_IN_WORD_COST: f32 = 4.0;
/// Box drawing and blocks: repeating the character before it, after ASCII other than letters, and anywhere else.
const DRAWING_COST: (f32, f32, f32) = (1.0, 5.0, 11.0);
/// What a letter of the Latin-1 range costs at most, in languages of western Europe: names come from anywhere.
const FOREIGN_LETTER_COST: u8 = 9;
/// A letter with an accent after an ASCII letter, the same for all Latin scripts: how dense accents are in prose says
/// nothing about code, and would favour the languages that have many.
const ACCENT_COST: f32 = 4.5;
/// Cyrillic or Greek directly before or after an ASCII letter, or a letter directly after box drawing.
const MIXED_SCRIPTS_COST: f32 = 10.0;
/// A capital after a small letter: the wrong code page swaps the cases.
const CASE_COST: f32 = 6.0;
/// Entering a run of non-ASCII characters other than from an ASCII letter: the same for all, comments are not prose.
const ENTRY_COST: f32 = 3.0;
/// More bits than this per non-ASCII byte, beyond a first allowance, and it is not text. Text costs 4 to 9, random
/// bytes 15 and more.
const PLAUSIBLE: (f32, f32) = (12.0, 40.0);
/// Bytes of lines with non-ASCII characters that are looked at.
const SAMPLE: usize = 1 << 13;

struct Language {
    after_letter: f32,
    staying: f32,
    leaving: f32,
    before_letter: f32,
    /// By code point, in whole bits; [`UNLISTED`] where the language does not have the character.
    costs: Box<[u8]>,
}

fn languages() -> &'static HashMap<&'static str, Language> {
    static LANGUAGES: OnceLock<HashMap<&'static str, Language>> = OnceLock::new();
    LANGUAGES.get_or_init(|| include_str!("frequencies.txt").lines().map(parse).collect())
}

/// One line of `frequencies.txt`; the script that writes it, scripts/train_encodings.py, describes the format.
fn parse(line: &'static str) -> (&'static str, Language) {
    let mut fields = line.split(' ');
    let name = fields.next().expect("a name");
    let mut number = || fields.next().and_then(|f| f.parse().ok()).expect("a cost");
    let (counted, staying, leaving) = (number(), number(), number());
    let (after_letter, before_letter) = match name {
        "greek" => (MIXED_SCRIPTS_COST, MIXED_SCRIPTS_COST),
        _ if CYRILLIC.contains(&name) => (MIXED_SCRIPTS_COST, MIXED_SCRIPTS_COST),
        _ if WESTERN.contains(&name) || CENTRAL.contains(&name) || name == "turkish" => {
            (ACCENT_COST, leaving)
        }
        _ => (counted, leaving),
    };
    let mut costs = vec![UNLISTED; 1 << 16].into_boxed_slice();
    for group in fields {
        let (cost, characters) = group.split_once(':').expect("COST:CHARACTERS");
        let cost: u8 = cost.parse().expect("a cost");
        for c in characters.chars().filter(|c| c.len_utf16() == 1) {
            costs[c as usize] = cost;
        }
    }
    if WESTERN.contains(&name) {
        for c in ('À'..='ÿ').filter(|c| c.is_alphabetic()) {
            costs[c as usize] = costs[c as usize].min(FOREIGN_LETTER_COST);
        }
    }
    (name, Language { after_letter, staying, leaving, before_letter, costs })
}

/// ISO-2022-JP: Japanese that hides in ASCII, between escape sequences. None if there are none, or it does not decode.
pub fn iso_2022_jp(raw: &[u8]) -> Option<String> {
    memchr::memmem::find(raw, b"\x1b$B").or_else(|| memchr::memmem::find(raw, b"\x1b$@"))?;
    let text = encoding_rs::ISO_2022_JP.decode_without_bom_handling_and_without_replacement(raw)?;
    text.chars().all(|c| c != '\x1b').then(|| text.into_owned())
}

/// What bytes were decoded to.
#[derive(Debug, PartialEq)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// The name of the encoding.
    pub encoding: &'static str,
    /// 1 where the file declares it; else the probability that the text is right, as the costs of all candidates have
    /// it.
    pub confidence: f32,
}

/// The text of bytes that are neither UTF-8 nor binary: in the encoding that they declare, else in the likeliest.
///
/// Null: if they are UTF-8 but for some damage, or nothing decodes them into something that reads as text. Then the
/// detail for the ledger.
pub fn decode(raw: &[u8]) -> Result<Decoded, String> {
    let declared = declared::find(raw);
    // Two-byte codes that decode without a fault are more than chance, however much of them passes for UTF-8.
    if let Some(found) =
        declared.filter(|(name, _)| DOUBLE_BYTE.contains(name)).and_then(|d| as_declared(raw, d))
    {
        return Ok(found);
    }
    let damage = damaged_utf8(raw);
    if damage.valid >= 3 * damage.invalid {
        return Err(format!("UTF-8 but for {} bytes, the first at byte {}", damage.invalid, damage.first));
    }
    if let Some(found) = declared.and_then(|d| as_declared(raw, d)) {
        return Ok(found);
    }
    let sample = sample(raw);
    let high = sample.iter().filter(|b| **b >= 0x80).count() as f32;
    let mut ranked: Vec<(f32, &Candidate, String)> =
        CANDIDATES.iter().filter_map(|c| cost(c, &sample).map(|(cost, text)| (cost, c, text))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (rank, &(cost, &Candidate(name, decoder, ..), _)) in ranked.iter().enumerate() {
        if cost - ascii_cost(&sample) > PLAUSIBLE.0 * high + PLAUSIBLE.1 {
            break;
        }
        if let Some(text) = whole(decoder, raw) {
            // Most code pages agree on most symbols: where they do, it gets the name of the most frequent one.
            let Candidate(usual, its_decoder, ..) = CANDIDATES[0];
            let agrees = name != usual && whole(its_decoder, raw).is_some_and(|other| other == text);
            let encoding = if agrees { usual } else { name };
            return Ok(Decoded { text, encoding, confidence: confidence(&ranked[rank..]) });
        }
    }
    Err(format!("not UTF-8 at byte {}, and reads as no encoding that is known", damage.first))
}

/// What a guess can reach: 1 is for what is none.
const SUREST_GUESS: f32 = 0.9999;

const DOUBLE_BYTE: [&str; 5] = ["big5", "euc-jp", "euc-kr", "gb18030", "shift_jis"];

fn as_declared(raw: &[u8], (encoding, decoder): (&'static str, Decoder)) -> Option<Decoded> {
    whole(decoder, raw).map(|text| Decoded { text, encoding, confidence: 1.0 })
}

/// The text of bytes that happen to be valid UTF-8 although they are in the two-byte encoding which they declare.
///
/// Why: two bytes of Chinese can be one letter of UTF-8. Text that was written in UTF-8 has characters of three bytes
/// wherever it is Chinese, Japanese or Korean, and then the declaration is out of date.
pub fn declared_over_utf8(raw: &[u8], text: &str) -> Option<Decoded> {
    if text.is_ascii() || text.chars().any(|c| c.len_utf8() > 2) {
        return None;
    }
    declared::find(raw).filter(|(name, _)| DOUBLE_BYTE.contains(name)).and_then(|d| as_declared(raw, d))
}

/// The probability of the first text, where a cost of so many bits is a likelihood. Candidates that agree on the text
/// count once.
fn confidence(ranked: &[(f32, &Candidate, String)]) -> f32 {
    let mut total = 0.0;
    for (rank, (cost, _, text)) in ranked.iter().enumerate() {
        if !ranked[..rank].iter().any(|(_, _, before)| before == text) {
            total += (ranked[0].0 - cost).exp2();
        }
    }
    (1.0f32 / total).min(SUREST_GUESS)
}

struct Damage {
    /// Bytes of valid multi-byte sequences, and bytes that are part of none.
    valid: usize,
    invalid: usize,
    first: usize,
}

fn damaged_utf8(raw: &[u8]) -> Damage {
    let mut damage = Damage { valid: 0, invalid: 0, first: 0 };
    let mut at = 0;
    for chunk in raw.utf8_chunks() {
        damage.valid += chunk.valid().bytes().filter(|b| *b >= 0x80).count();
        at += chunk.valid().len();
        if damage.invalid == 0 {
            damage.first = at;
        }
        damage.invalid += chunk.invalid().len();
        at += chunk.invalid().len();
    }
    damage
}

/// The lines with non-ASCII bytes, up to [`SAMPLE`] bytes of them.
///
/// Cutting at line ends is safe: no encoding here uses 0x0A as the second half of a character.
fn sample(raw: &[u8]) -> Vec<u8> {
    let mut sample = Vec::new();
    for line in raw.split_inclusive(|b| *b == b'\n') {
        if line.is_ascii() {
            continue;
        }
        let room = SAMPLE - sample.len();
        sample.extend_from_slice(&line[..line.len().min(room)]);
        if line.len() >= room {
            break;
        }
    }
    sample
}

fn ascii_cost(sample: &[u8]) -> f32 {
    sample.iter().filter(|b| b.is_ascii()).count() as f32 * ASCII_COST
}

/// The bits that the cheapest of a candidate's languages needs, and the sample's text. Null: if its encoding does not
/// decode the sample.
fn cost(candidate: &Candidate, sample: &[u8]) -> Option<(f32, String)> {
    let text = partial(candidate.1, sample)?;
    let least =
        candidate.2.iter().map(|name| cost_in(&languages()[name], &text)).fold(f32::INFINITY, f32::min);
    Some((least + candidate.3, text))
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Letter,
    Other,
    Word,
    Symbol,
    Drawing,
}

fn cost_in(language: &Language, text: &str) -> f32 {
    let (mut before, mut last) = (Kind::Other, '\n');
    let mut total = 0.0f64;
    for c in text.chars() {
        let (kind, own) = match c {
            'a'..='z' | 'A'..='Z' => (Kind::Letter, ASCII_COST),
            '\0'..='\x7f' => (Kind::Other, ASCII_COST),
            '\u{2500}'..='\u{259f}' if c == last => (Kind::Drawing, DRAWING_COST.0),
            '\u{2500}'..='\u{259f}' if before == Kind::Other => (Kind::Drawing, DRAWING_COST.1),
            '\u{2500}'..='\u{259f}' => (Kind::Drawing, DRAWING_COST.2),
            _ if neutral(c) && c == last => (Kind::Symbol, DRAWING_COST.0),
            _ if neutral(c) && matches!(before, Kind::Letter | Kind::Other) => (Kind::Symbol, SYMBOL_COST.0),
            _ if neutral(c) => (Kind::Symbol, SYMBOL_COST.1),
            _ => match language.costs.get(c as usize).copied().unwrap_or(UNLISTED) {
                UNLISTED => (Kind::Word, UNLISTED_COST),
                cost => (Kind::Word, f32::from(cost)),
            },
        };
        let step = match (before, kind) {
            (Kind::Letter, Kind::Word) => language.after_letter,
            (Kind::Drawing, Kind::Word | Kind::Letter) => MIXED_SCRIPTS_COST,
            (Kind::Symbol, Kind::Letter) if last != '’' => SYMBOL_IN_WORD_COST,
            (Kind::Other | Kind::Symbol, Kind::Word) => ENTRY_COST,
            (Kind::Word, Kind::Word) => language.staying,
            (Kind::Word, Kind::Letter) => language.before_letter,
            (Kind::Word, Kind::Other) => language.leaving,
            _ => 0.0,
        };
        let swapped = kind == Kind::Word && last.is_lowercase() && c.is_uppercase();
        let step = if swapped { step + CASE_COST } else { step };
        total += f64::from(own + step);
        (before, last) = (kind, c);
    }
    total as f32
}

/// Characters that texts in any language use.
fn neutral(c: char) -> bool {
    matches!(
        c,
        '\u{a0}'
            | '¡'
            | '§'
            | '©'
            | 'ª'
            | '«'
            | '®'
            | '°'
            | '±'
            | '²'
            | '³'
            | '´'
            | 'µ'
            | '·'
            | 'º'
            | '»'
            | '¿'
            | '×'
            | '÷'
    ) || matches!(c, '–' | '—' | '‘' | '’' | '“' | '”' | '„' | '•' | '…' | '€' | '™' | '≤' | '≥' | '√')
}

fn partial(decoder: Decoder, sample: &[u8]) -> Option<String> {
    match decoder {
        Decoder::Page(page) => Some(single_byte::decode(sample, page)),
        Decoder::Standard(encoding) => {
            let mut decoder = encoding.new_decoder_without_bom_handling();
            let mut text =
                String::with_capacity(decoder.max_utf8_buffer_length_without_replacement(sample.len())?);
            // Not the last of the input: half a character at the end is no error.
            let (result, _) = decoder.decode_to_string_without_replacement(sample, &mut text, false);
            (result == DecoderResult::InputEmpty && clean(&text)).then_some(text)
        }
    }
}

fn whole(decoder: Decoder, raw: &[u8]) -> Option<String> {
    match decoder {
        Decoder::Page(page) => Some(single_byte::decode(raw, page)),
        Decoder::Standard(encoding) => {
            let text = encoding.decode_without_bom_handling_and_without_replacement(raw)?.into_owned();
            clean(&text).then_some(text)
        }
    }
}

/// No C1 controls (bytes that the code page leaves undefined) and nothing for private use (unassigned two-byte codes).
fn clean(text: &str) -> bool {
    !text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fffd}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_that_is_named_is_known() {
        let named = CANDIDATES.iter().flat_map(|c| c.2);
        assert!(named.clone().count() > CANDIDATES.len());
        assert!(named.clone().all(|name| languages().contains_key(name)));
    }

    #[test]
    fn what_is_shared_by_code_pages_is_windows_1252() {
        let decoded = decode(b"/* \xa9 2003 */").expect("text");
        assert_eq!((decoded.text.as_str(), decoded.encoding), ("/* © 2003 */", "windows-1252"));
    }

    #[test]
    fn the_declared_encoding_is_taken_where_the_bytes_allow_it() {
        let decoded = decode(b"# coding: iso-8859-15\n# 3 \xa4\n").expect("text");
        assert_eq!(
            (decoded.text.as_str(), decoded.confidence),
            ("# coding: iso-8859-15\n# 3 \u{20ac}\n", 1.0)
        );
        // Half a character at the end: it is not what it says it is.
        let decoded = decode(b"# coding: shift_jis\n# gr\xfcn und blau, sch\xf6n\n# \xe4").expect("text");
        assert_eq!(decoded.encoding, "windows-1252");
        assert!(decoded.confidence < 1.0);
    }

    #[test]
    fn confidence_grows_with_what_there_is_to_go_by() {
        let (text, _, _) = encoding_rs::WINDOWS_1251.encode("// сумма всех элементов списка");
        let much = decode(&text).expect("text").confidence;
        let little = decode(b"// \xe4\xe0").expect("text").confidence;
        assert!(little < much && much > 0.99, "{little} {much}");
    }

    #[test]
    fn damaged_utf8_is_not_made_mojibake() {
        let detail = decode("# Größe, Länge, Höhe \u{e9}".as_bytes().split_last().expect("bytes").1);
        assert_eq!(detail, Err("UTF-8 but for 1 bytes, the first at byte 25".to_owned()));
    }

    #[test]
    fn noise_is_undecodable() {
        // 0xFF ends no character of any two-byte encoding here; 0x81 and 0x8D are undefined in the Windows pages.
        let noise: Vec<u8> =
            (0..4000u32).map(|i| 0x80 | (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(decode(&noise).is_err());
    }

    #[test]
    fn iso_2022_jp_needs_its_escapes() {
        assert_eq!(iso_2022_jp(b"\x1b$B$\"\x1b(B = 1"), Some("\u{3042} = 1".to_owned()));
        assert_eq!(iso_2022_jp(b"\x1b[1mbold"), None);
    }
}
