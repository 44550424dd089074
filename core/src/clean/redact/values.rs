//! Whether a value that its context calls a password is one, or only stands for one.

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

/// A value where nothing but a password can stand: not what stands for one, and no template.
pub(super) fn certain(value: &str) -> bool {
    const WORDS: &str =
        " true false null none nil yes no string text password passwd pass pwd secret token value pat ";
    let lower = value.to_ascii_lowercase();
    (3..=1024).contains(&value.len())
        && common(value)
        && !WORDS.contains(&format!(" {lower} "))
        && !value.starts_with(['$', '<', '-'])
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

pub(super) fn common(value: &str) -> bool {
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
        && !rules(value)
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

/// What forms ask of a field (Laravel, VeeValidate): `required|string|min:8|confirmed`.
fn rules(value: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_lowercase() || b == b'_';
    let of_bound = |b: u8| b.is_ascii_alphanumeric() || b"_,.-".contains(&b);
    value.contains('|')
        && value.split('|').all(|rule| {
            let (name, bound) = rule.split_once(':').unwrap_or((rule, ""));
            !name.is_empty() && name.bytes().all(of_name) && bound.bytes().all(of_bound)
        })
}

fn ends_in_digits(value: &str) -> bool {
    value.trim_end_matches(|c: char| c.is_ascii_digit()).bytes().all(|b| b.is_ascii_alphabetic())
        && value.ends_with(|c: char| c.is_ascii_digit())
}

/// "password1", "new_password2": the name of a field.
pub(super) fn labelled(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let lower = stem.to_ascii_lowercase();
    value.len() - stem.len() <= 1
        && !(stem.bytes().any(|b| b.is_ascii_digit()) && stem.bytes().all(|b| b.is_ascii_alphanumeric())) // `use1pass`
        && LABELS.iter().any(|label| lower.ends_with(label))
}

/// A word for a secret and a number: `key_1234`, `secret123`.
pub(super) fn numbered(value: &str) -> bool {
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['_', '-']);
    LABELS.iter().any(|label| stem.eq_ignore_ascii_case(label))
}

/// Words joined by `_`, `-`, `.`, `/` or capitals, with a number here and there: a name.
pub(super) fn words(value: &str) -> bool {
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
pub(super) fn pronounced(word: &str) -> bool {
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

pub(super) fn file(value: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        ".py", ".js", ".ts", ".json", ".yml", ".yaml", ".txt", ".pem", ".key", ".crt", ".html", ".png",
        ".php", ".xml", ".java", ".go",
    ];
    ENDINGS.iter().any(|ending| value.ends_with(ending))
}
