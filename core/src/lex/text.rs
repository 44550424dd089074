//! Small questions about the bytes of a program.

/// Whether `mark` stands at `at`; for the one or two bytes that most marks have without a call.
#[inline]
pub fn is_at(text: &[u8], at: usize, mark: &[u8]) -> bool {
    match *mark {
        [a] => text.get(at) == Some(&a),
        [a, b] => text.get(at) == Some(&a) && text.get(at + 1) == Some(&b),
        _ => text.get(at..).is_some_and(|rest| rest.starts_with(mark)),
    }
}

/// How many quotes after the closer still belong to the string: in `"""a""""` the last closes.
pub fn trailing_quotes(text: &[u8], end: usize, quote: u8) -> usize {
    text[end..].iter().take_while(|&&b| b == quote).count()
}

/// The end of a comment in which comments of the same kind count.
pub fn nested_end(text: &[u8], inside: usize, open: &[u8], close: &[u8]) -> Option<usize> {
    let (mut depth, mut i) = (1, inside);
    loop {
        i += memchr::memchr2(open[0], close[0], &text[i..])?;
        if text[i..].starts_with(close) {
            depth -= 1;
            i += close.len();
            if depth == 0 {
                return Some(i);
            }
        } else if text[i..].starts_with(open) {
            depth += 1;
            i += open.len();
        } else {
            i += 1;
        }
    }
}

/// The bracket that closes `open`.
#[inline]
pub fn closer_of(open: u8) -> u8 {
    match open {
        b'{' => b'}',
        b'(' => b')',
        b'[' => b']',
        b'<' => b'>',
        other => other,
    }
}

/// Whether a byte belongs to a word: ASCII letters and digits, `_`, and everything beyond ASCII.
#[inline]
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The word that ends at `end`, at most `limit` bytes of it.
#[inline]
pub fn word_before(text: &[u8], end: usize, limit: usize) -> &[u8] {
    let length = text[..end].iter().rev().take(limit).take_while(|&&b| is_word(b)).count();
    &text[end - length..end]
}
