//! Whether a value that its context calls a password or a token is one, or only stands for one.

/// In lower case, without `_` and `-`: values, or parts of values, that say of themselves that they are none.
const STAND_INS: [&str; 27] = [
    "anonymous",
    "example",
    "changeme",
    "changethis",
    "yourpass",
    "yoursecret",
    "yourtoken",
    "yourapi",
    "yourkey",
    "placeholder",
    "dummy",
    "redacted",
    "xxxx",
    "...",
    "4request",
    "****",
    "insert",
    "replace",
    "todo",
    "notset",
    "undefined",
    "mypassword",
    "mysecret",
    "mytoken",
    "fake",
    "sample",
    "00000000",
];
/// Without `_` and `-`: names of algorithms, encodings and protocols that have digits in them.
const ALGORITHMS: [&str; 29] = [
    "sha256",
    "sha1",
    "sha224",
    "sha384",
    "sha512",
    "md5",
    "utf8",
    "utf16",
    "utf32",
    "iso8859",
    "windows125",
    "aes128",
    "aes192",
    "aes256",
    "base64",
    "base32",
    "x509",
    "pkcs1",
    "pbkdf2",
    "argon2",
    "oauth2",
    "rs256",
    "hs256",
    "es256",
    "ed25519",
    "ipv4",
    "bcrypt",
    "scrypt",
    "ipv6",
];
const LABELS: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "pass",
    "secret",
    "token",
    "apikey",
    "key",
    "field",
    "input",
    "hash",
    "user",
];

/// A password: 4 to 128 characters, not a word, path, name in code, pattern or template.
///
/// What is not covered: passwords of letters alone, which cannot be told from names and labels.
pub(super) fn password(value: &str) -> bool {
    if value.len() > 128 {
        return false;
    }
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let special = value.bytes().filter(|b| b"!@#$%^&*+=?~".contains(b)).count();
    value.len() >= 4
        && common(value)
        && (digits > 0
            || (special > 0
                && letters > 3
                && !(special == 1 && value.ends_with(['!', '?', '='])) // "Problem?"
                && !value.starts_with(['#', '@', '!', '?', '$', '&', '*', '=', '+'])))
        && !(special == 0 && digits > 0 && letters > 0 && labelled(value))
        && !(digits < 3
            && special == 0
            && words(value)
            && !(letters + digits == value.len()
                && (letters > 5 || letters > 2 && digits > 1)
                && ends_in_digits(value)))
        && !(letters == 0 && special == 0 && value.len() > 14)
        && !value.starts_with(['-', '/', '.', '\\', '$', '%', ':', ',', '+'])
        && !file(value)
}

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

/// What "pass" and "password" say without a sign, or in a comment, needs more: two digits among letters, a sign, or
/// capitals as no word has them.
pub(super) fn mixed(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let special = value.bytes().any(|b| b"!@#$%^&*+=?~".contains(&b));
    let odd = value
        .as_bytes()
        .windows(2)
        .filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
        .count();
    value.len() >= 5
        && letters >= 2
        && !value.contains('/')
        && (special || digits >= 2 || digits == 1 && odd >= 2)
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

/// Three words or so with a password among them: "super sekret pa55word".
pub(super) fn phrase(value: &str) -> bool {
    if value.len() > 64 || !value.contains(' ') {
        return false;
    }
    let words: Vec<&str> = value.split(' ').collect();
    let leet = |word: &str| {
        let bytes = word.as_bytes();
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        let inside =
            digits > 0 && bytes[0].is_ascii_alphabetic() && bytes[bytes.len() - 1].is_ascii_alphabetic();
        digits > 1 && inside && bytes.iter().all(u8::is_ascii_alphanumeric)
    };
    (2..=6).contains(&words.len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric()))
        && words.iter().any(|word| leet(word) && common(word))
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

/// The password of a URL: less is asked, for the place says what it is.
pub(super) fn in_url(value: &str) -> bool {
    let digits = value.bytes().any(|b| b.is_ascii_digit());
    // What is left without escapes: tests of encodings have nothing but these.
    let escapes = value.matches('%').count();
    let bare = value.bytes().filter(u8::is_ascii_alphanumeric).count().saturating_sub(2 * escapes);
    let port = value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit());
    value.len() >= 4
        && !port
        && (escapes == 0 || bare > 3)
        && common(value)
        && !labelled(value)
        && !numbered(value)
        && (digits || !words(value))
        && !value.starts_with('$')
}

/// At least 16 characters with capitals in the middle of what is no word: no name in code.
fn tangled(value: &str) -> bool {
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

fn common(value: &str) -> bool {
    let tidy: String =
        value.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    let template =
        ["${", "{{", "}}", "%s", "%(", "%d", "{}", "()", "<", ">", "\\d", "\\w", "$(", "#{", "@{", "[", "("]
            .iter()
            .any(|mark| value.contains(mark))
            || (value.starts_with('{') && value.ends_with('}'))
            || (value.starts_with('%') && value.ends_with('%'));
    let number = tidy.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let hashed = value.starts_with('{')
        || value.starts_with("$1$")
        || value.starts_with("$2")
        || value.starts_with("SCRAM-SHA-")
        || value.len() == 35 && value.starts_with("md5") // PostgreSQL's
        || ["md5$", "sha1$", "sha256$", "pbkdf2_", "pbkdf2$", "crypt$"].iter().any(|head| value.starts_with(head));
    let marked =
        value.len() > 2 && ["@", "**", "__", "%"].iter().any(|m| value.starts_with(m) && value.ends_with(m));
    !template
        && !number
        && !hashed
        && !marked
        && !value.ends_with("..")
        && !value.ends_with('…')
        && !["@domain", "@host", "@your", "@localhost"].iter().any(|host| value.contains(host))
        && !value.contains("\\u")
        && !version(value)
        && value.bytes().all(|b| b > b' ')
        && !STAND_INS.iter().any(|word| tidy.contains(word))
        && !(tidy.contains("12345678") && tidy.len() < 13 && value.bytes().all(|b| b.is_ascii_alphanumeric()))
        && !(value.len() < 8 && value.starts_with("rfc"))
        && !(value.len() < 24 && ALGORITHMS.iter().any(|word| tidy.contains(word)))
        && !value.strip_suffix('=').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphabetic()))
        && !matches!(tidy.as_str(), "1234" | "12345" | "123456" | "1234567")
}

/// `^1.0.0`, `>=2.1`, `1.2.3-rc1`.
fn version(value: &str) -> bool {
    let number = value.trim_start_matches(['^', '~', '<', '>', '=', 'v', ' ']);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    (1..4).contains(&digits)
        && number[digits..].starts_with('.')
        && number[digits + 1..].starts_with(|c: char| c.is_ascii_digit() || c == 'x' || c == '*')
        && number.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+*".contains(&b))
        && number.len() < 16
}

fn ends_in_digits(value: &str) -> bool {
    value.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().all(|b| b.is_ascii_alphabetic())
        && value.ends_with(|c: char| c.is_ascii_digit())
}

/// "password1", "new_password2": the name of a field.
fn labelled(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let lower = stem.to_ascii_lowercase();
    value.len() - stem.len() <= 1
        && !(stem.bytes().any(|b| b.is_ascii_digit()) && stem.bytes().all(|b| b.is_ascii_alphanumeric())) // `use1pass`
        && LABELS.iter().any(|label| lower.ends_with(label))
}

/// A word for a secret and a number: `key_1234`, `secret123`.
fn numbered(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['_', '-']);
    LABELS.iter().any(|label| stem.eq_ignore_ascii_case(label))
}

/// Whether it may be a type or a name: what a value must not be where a type could stand.
pub(super) fn worded(value: &str) -> bool {
    words(value)
}

/// Words joined by `_`, `-`, `.`, `/` or capitals, with a number here and there: a name.
fn words(value: &str) -> bool {
    let mut pieces = 0;
    let spoken = value.split(['_', '-', '.', '/', ':']).all(|piece| {
        pieces += 1;
        let stem = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = piece.len() - stem.len();
        number <= 3 && stem.bytes().all(|b| b.is_ascii_alphabetic()) && (stem.is_empty() || pronounced(stem))
    });
    spoken && (pieces > 1 || value.bytes().filter(u8::is_ascii_digit).count() <= 2)
}

/// Whether letters alternate as in words: a vowel in every five, capitals only at heads of words or throughout.
fn pronounced(word: &str) -> bool {
    let mut without = 0;
    let mut capitals = 0;
    let upper = word.bytes().all(|b| b.is_ascii_uppercase());
    for (i, byte) in word.bytes().enumerate() {
        without = if b"aeiouyAEIOUY".contains(&byte) { 0 } else { without + 1 };
        capitals += usize::from(i > 0 && byte.is_ascii_uppercase() && !upper);
        if without > 5 {
            return false;
        }
    }
    word.len() <= 5 || capitals * 4 <= word.len()
}

fn file(value: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        ".py", ".js", ".ts", ".json", ".yml", ".yaml", ".txt", ".pem", ".key", ".crt", ".html", ".png",
        ".php", ".xml", ".java", ".go",
    ];
    ENDINGS.iter().any(|ending| value.ends_with(ending))
}
