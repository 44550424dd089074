//! Whether a value that its context calls a token, key or secret is one.

use super::values::{common, file, labelled, numbered, pronounced, words};

/// A token, an API key: at least 12 characters of an alphabet of keys, with letters and digits mixed.
pub(super) fn token(value: &str) -> bool {
    if !value.bytes().any(|b| b.is_ascii_digit() || b"!@#$%^&*".contains(&b)) {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let alphabet = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~:!@#%^&*$".contains(&b));
    let special = value.bytes().filter(|b| b"!@#$%^&*".contains(b)).count();
    let mut seen = [false; 256];
    value.bytes().for_each(|b| seen[b as usize] = true);
    hexadecimal(value)
        || word_and_number(value)
        || (12..=512).contains(&value.len())
            && alphabet
            && (digits >= 2
                || digits + special >= 2 && letters + digits + special == value.len()
                || digits == 1 && (tangled(value) || base32(value)))
            && letters >= 2
            && seen.iter().filter(|s| **s).count() >= 7
            && common(value)
            && !words(value)
            && (!value.starts_with(['/', '.', '-', '#', '@', ':'])
                || (value.ends_with('=') && value.len() > 31))
            && !value.contains("://")
            && !value.contains("::")
            && !typed(value)
            && !file(value)
}

/// A token of a name that says what it opens: less is asked, six characters among which are two digits, or a number.
pub(super) fn access(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let short =
        (6..=64).contains(&value.len()) && digits > 1 && letters > 1 && letters + digits == value.len();
    secret(value) || (short || number(value)) && common(value) && !labelled(value) && !numbered(value)
}

/// A number of 12 digits or more that neither repeat nor count.
fn number(value: &str) -> bool {
    let bytes = value.as_bytes();
    let counted = |w: &[u8]| w.windows(2).all(|p| p[1] == p[0] + 1) || w.windows(2).all(|p| p[0] == p[1] + 1);
    let mut seen = [false; 10];
    (12..=40).contains(&bytes.len())
        && bytes.iter().all(|b| {
            b.is_ascii_digit() && {
                seen[usize::from(b - b'0')] = true;
                true
            }
        })
        && seen.iter().filter(|s| **s).count() > 4
        && !bytes.windows(5).any(counted)
}

/// A key that generators make: 32 hexadecimal digits or 20 characters of base64 that change their kind time and again.
/// No UUID, which names things.
pub(super) fn random(value: &str) -> bool {
    let kind = |b: u8| (b.is_ascii_uppercase(), b.is_ascii_lowercase(), b.is_ascii_digit());
    let pairs = || value.as_bytes().windows(2);
    let turns = pairs().filter(|w| kind(w[0]) != kind(w[1])).count();
    let numbers = pairs().filter(|w| !w[0].is_ascii_digit() && w[1].is_ascii_digit()).count();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    let uuid = value.len() == 36 && value.matches('-').count() == 4;
    value.len() >= if hex { 32 } else { 20 }
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b))
        && turns * 4 >= value.len()
        && (numbers > 2 || tangled(value))
        && !value.contains("01020304") // of test vectors
        && !uuid
        && token(value)
}

/// Secrets of one-time passwords: letters in upper case and digits from 2 to 7 that spell nothing (RFC 4648).
fn base32(value: &str) -> bool {
    let letters: String = value.chars().filter(char::is_ascii_uppercase).collect();
    value.len() >= 16
        && value.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
        && !pronounced(&letters)
}

/// What kind of value comes first: `qrCode:…`, `urn:…`.
fn typed(value: &str) -> bool {
    value.split_once(':').is_some_and(|(head, _)| {
        head.len() > 2 && head != "base64" && head.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// What generators of passwords make: letters of both cases, digits and signs, brackets among them.
fn generated(value: &str) -> bool {
    let count = |class: fn(&u8) -> bool| value.bytes().filter(class).count();
    (12..=64).contains(&value.len())
        && count(u8::is_ascii_uppercase) > 1
        && count(u8::is_ascii_lowercase) > 1
        && count(u8::is_ascii_digit) > 0
        && count(|b| b"!#$%&*?@^]}{~|;".contains(b)) > 0
        && !value.contains(['.', '/', ':'])
        && !value.starts_with(['$', '%', '@', '#', '&', '{'])
        && common(value)
}

/// A secret whose name says so: a token, or at least 8 characters in which letters and digits take turns.
pub(super) fn secret(value: &str) -> bool {
    if value.len() < 6 {
        return false;
    }
    let kind = |b: u8| (b.is_ascii_alphabetic(), b.is_ascii_digit());
    let turns = value.as_bytes().windows(2).filter(|w| kind(w[0]) != kind(w[1])).count();
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric());
    token(value)
        || generated(value)
        || plain
            && (value.len() >= 8 && turns > 2 || value.len() >= 6 && turns > 3)
            && value.len() < 128
            && common(value)
            && !labelled(value)
}

/// What Django makes: 50 characters of letters in lower case, digits and signs, brackets among them.
pub(super) fn django(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let signs = value.bytes().filter(|b| b"!@#$%^&*(-_=+)".contains(b)).count();
    let letters = value.bytes().filter(u8::is_ascii_lowercase).count();
    (45..=60).contains(&value.len()) && digits > 3 && signs > 5 && digits + signs + letters == value.len()
}

/// Base64 of what would be a password itself.
pub(super) fn wrapped(value: &str) -> bool {
    let inside = || super::bytes::decoded(value).and_then(|bytes| String::from_utf8(bytes).ok());
    value.len() >= 12
        && value.len().is_multiple_of(4)
        && value.bytes().any(|b| b.is_ascii_uppercase())
        && value.bytes().any(|b| b.is_ascii_lowercase())
        && inside().is_some_and(|text| {
            text.bytes().all(|b| (b' '..0x7f).contains(&b))
                && super::values::password(&text)
                && super::values::mixed(&text)
        })
}

/// What WordPress and its like make: letters, digits and signs of every kind, brackets and blanks among them.
pub(super) fn salt(value: &str) -> bool {
    let count = |class: fn(&u8) -> bool| value.bytes().filter(class).count();
    let mut seen = [false; 128];
    value.bytes().filter(u8::is_ascii_punctuation).for_each(|b| seen[b as usize] = true);
    let signs = seen.iter().filter(|s| **s).count();
    let longest = value.split(|c: char| !c.is_ascii_lowercase()).map(str::len).max().unwrap_or(0);
    (32..=128).contains(&value.len())
        && value.is_ascii()
        && signs >= 7
        && count(u8::is_ascii_digit) > 2
        && count(u8::is_ascii_alphabetic) > 8
        && count(|b| *b == b' ') * 8 <= value.len()
        && longest < 9
}

/// Letters of both cases and two digits or more, after `Bearer`.
pub(super) fn mixed_case(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits >= 2
        && value.bytes().any(|b| b.is_ascii_lowercase())
        && value.bytes().any(|b| b.is_ascii_uppercase())
        && value.bytes().all(|b| b.is_ascii_alphanumeric())
        && common(value)
}

/// A word with three digits or more behind it, alone or last of several: "foobar345", "refresh-token-xyz789".
fn word_and_number(value: &str) -> bool {
    let last = value.rsplit(['-', '_']).next().unwrap_or(value);
    let letters = last.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = &last[letters..];
    value.len() >= 8
        && value.len() < 64
        && letters >= 3
        && digits.len() >= 3
        && digits.bytes().all(|b| b.is_ascii_digit())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && value.bytes().any(|b| b.is_ascii_lowercase())
        && common(value)
}

/// 8 or more hexadecimal digits in which letters and digits take turns: no name in code, and no word.
fn hexadecimal(value: &str) -> bool {
    let turns =
        value.as_bytes().windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit()).count();
    value.len() >= 8
        && turns > 2
        && value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        && common(value)
}

/// At least 16 characters with capitals in the middle of what is no word: no name in code.
pub(super) fn tangled(value: &str) -> bool {
    let bytes = value.as_bytes();
    let mut piece = 0;
    let mut spoken = true;
    for at in 1..=bytes.len() {
        let ends = at == bytes.len()
            || !bytes[at].is_ascii_alphabetic()
            || bytes[at].is_ascii_uppercase() && !bytes[at - 1].is_ascii_uppercase();
        if ends {
            let word = &bytes[piece..at];
            let vowel = word.iter().any(|b| b"aeiouyAEIOUY".contains(b));
            let lower = word.iter().any(u8::is_ascii_lowercase);
            spoken &= word.len() < 3 || vowel || !lower;
            piece = at;
        }
    }
    let capitals = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    !spoken && value.len() >= 16 && capitals > 2 && !value.contains(['_', '-'])
}
