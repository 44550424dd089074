//! The first and last lines of a file, without looking at the rest.

use memchr::{memchr, memchr2, memrchr2};

/// No line's part beyond this is looked at: a modeline or a shebang sits in lines people write.
pub const MAX: usize = 8 * 1024;

/// The first `n` lines (ended by `\n`, `\r\n` or `\r`), without the last one's ending; at most [`MAX`] bytes.
pub fn head(data: &[u8], n: usize) -> &[u8] {
    let data = &data[..data.len().min(MAX)];
    let mut at = 0;
    for i in 0..n {
        match memchr2(b'\n', b'\r', &data[at..]) {
            None => return data,
            Some(end) if i + 1 == n => return &data[..at + end],
            Some(end) if data[at + end..].starts_with(b"\r\n") => at += end + 2,
            Some(end) => at += end + 1,
        }
    }
    &data[..at]
}

/// The last `n` lines; a line ending at the end of the file begins no further line. At most [`MAX`] bytes.
pub fn tail(data: &[u8], n: usize) -> &[u8] {
    let data = &data[data.len().saturating_sub(MAX)..];
    let mut end = data.len();
    if data.ends_with(b"\r\n") {
        end -= 2;
    } else if data.ends_with(b"\n") || data.ends_with(b"\r") {
        end -= 1;
    }
    let data = &data[..end];
    for _ in 0..n {
        match memrchr2(b'\n', b'\r', &data[..end]) {
            None => return data,
            Some(at) if at > 0 && &data[at - 1..=at] == b"\r\n" => end = at - 1,
            Some(at) => end = at,
        }
    }
    // `end` is where the line ending before the n lines begins; skip that ending.
    let rest = &data[end..];
    if rest.starts_with(b"\r\n") { &rest[2..] } else { &rest[1..] }
}

/// Lines ended by `\n`, as `split("\n", -1)` gives them: a final newline is followed by an empty line.
pub struct Split<'a> {
    rest: Option<&'a [u8]>,
}

/// See [`Split`].
pub fn split(data: &[u8]) -> Split<'_> {
    Split { rest: Some(data) }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match memchr(b'\n', rest) {
            Some(at) => {
                self.rest = Some(&rest[at + 1..]);
                Some(&rest[..at])
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{head, tail};

    #[test]
    fn head_and_tail_know_three_line_endings() {
        assert_eq!(head(b"a\r\nb\rc\nd", 3), b"a\r\nb\rc");
        assert_eq!(head(b"a", 3), b"a");
        assert_eq!(tail(b"a\nb\r\nc\rd\n", 2), b"c\rd");
        assert_eq!(tail(b"a\nb\r\nc\rd\n", 3), b"b\r\nc\rd");
        assert_eq!(tail(b"a", 3), b"a");
        assert_eq!(tail(b"", 3), b"");
    }
}
