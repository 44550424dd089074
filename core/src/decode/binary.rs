//! What is not text: signatures of binary formats, and the share of control characters.

/// The name of the binary format whose signature the bytes begin with.
///
/// Only formats that can occur without a NUL byte early on need to be here, but the name makes a better detail than
/// "NUL at byte 4". A signature of printable characters counts only together with bytes that prose would not have
/// after it, so that a text about GIF89a stays a text.
pub fn signature(raw: &[u8]) -> Option<&'static str> {
    let first = *raw.first()?;
    // One load decides for nearly every source file: none of these is how source code starts.
    if !matches!(first, 0..=8 | 0x1f | b'!' | b'%' | b'(' | b'7' | b'B' | b'G' | b'I' | b'M' | b'O' | b'P' | b'R' | b'S' | b'f' | b'w' | 0x7f..)
    {
        return None;
    }
    let is = |magic: &[u8]| raw.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| raw.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let byte = |offset: usize| raw.get(offset).copied();
    let not_printable = |offset: usize| byte(offset).is_some_and(|b| !(0x20..0x7f).contains(&b));
    let name = match first {
        b'%' if is(b"%PDF-") && byte(5).is_some_and(|b| b.is_ascii_digit()) => "PDF document",
        b'!' if is(b"!<arch>\n") => "ar archive",
        b'7' if is(b"7z\xbc\xaf\x27\x1c") => "7z archive",
        b'B' if is(b"BZh") && at(4, b"1AY&SY") => "bzip2 data",
        b'B' if is(b"BM") && at(6, b"\0\0\0\0") => "BMP image",
        b'G' if (is(b"GIF87a") || is(b"GIF89a")) && raw.iter().take(64).any(|b| *b == 0 || *b >= 0x80) => {
            "GIF image"
        }
        b'I' if is(b"ID3") && byte(3).is_some_and(|b| b < 16) => "MP3 audio",
        b'I' if is(b"II*\0") => "TIFF image",
        b'M' if is(b"MM\0*") => "TIFF image",
        b'M' if is(b"MSCF\0") => "cabinet archive",
        b'M' if is(b"MZ") && not_printable(2) && not_printable(3) => "DOS or Windows executable",
        b'O' if is(b"OggS\0") => "Ogg media",
        b'O' if is(b"OTTO\0") => "OpenType font",
        b'P' if is(b"PK\x03\x04") || is(b"PK\x05\x06") || is(b"PK\x07\x08") => "zip archive",
        b'R' if is(b"RIFF") && (at(8, b"WAVE") || at(8, b"AVI ") || at(8, b"WEBP")) => "RIFF media",
        b'R' if is(b"Rar!\x1a\x07") => "RAR archive",
        b'S' if is(b"SQLite format 3\0") => "SQLite database",
        b'f' if is(b"fLaC\0") => "FLAC audio",
        b'w' if (is(b"wOFF") || is(b"wOF2"))
            && (at(4, b"\0\x01\0\0") || at(4, b"OTTO") || at(4, b"true")) =>
        {
            "web font"
        }
        0 if is(b"\0asm") => "WebAssembly module",
        0x1f if is(b"\x1f\x8b\x08") => "gzip data",
        0x1f if is(b"\x1f\x9d") => "compress data",
        0x7f if is(b"\x7fELF") => "ELF object",
        0x89 if is(b"\x89PNG\r\n\x1a\n") => "PNG image",
        0x89 if is(b"\x89HDF\r\n\x1a\n") => "HDF5 data",
        b'(' if is(b"\x28\xb5\x2f\xfd") => "zstd data",
        0xca if is(b"\xca\xfe\xba\xbe") => "Java class or Mach-O object",
        0xce | 0xcf if at(1, b"\xfa\xed\xfe") => "Mach-O object",
        0xd0 if is(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => "OLE document",
        0xfd if is(b"\xfd7zXZ\0") => "xz data",
        0xff if is(b"\xff\xd8\xff") => "JPEG image",
        _ => return None,
    };
    Some(name)
}

/// The number of control characters that text does not use.
///
/// Unit: bytes below 0x20 other than tab, line feed, form feed, carriage return and escape, and 0x7F. A 0x1A at the
/// very end is not counted: DOS ended text files with it.
pub fn controls(raw: &[u8]) -> usize {
    let text = raw.strip_suffix(b"\x1a").unwrap_or(raw);
    let count = |chunk: &[u8]| -> usize {
        // A sum of 255 ones at most, so that it fits in bytes and the loop becomes one compare-and-add per 16 bytes.
        usize::from(chunk.iter().map(|b| u8::from(is_control(*b))).fold(0u8, u8::wrapping_add))
    };
    text.chunks(255).map(count).sum()
}

fn is_control(byte: u8) -> bool {
    let allowed = (byte == b'\t') | (byte == b'\n') | (byte == 0x0c) | (byte == b'\r') | (byte == 0x1b);
    ((byte < 0x20) & !allowed) | (byte == 0x7f)
}

/// Whether so many control characters mean that this is no text.
///
/// Random bytes hold 28 in 256, one in nine. Bytes that are valid UTF-8 are hardly random, so up to one in ten is
/// let pass there (man pages overstrike, test data for terminals); bytes that are not UTF-8 must do with one in
/// fifty, or a legacy encoding would be found for every short piece of binary data.
pub fn too_many(controls: usize, length: usize, is_utf8: bool) -> bool {
    controls * if is_utf8 { 10 } else { 50 } > length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_need_more_than_a_word() {
        assert_eq!(signature(b"GIF89a is a format of images"), None);
        assert_eq!(signature(b"GIF89a\x01\x00\x01\x00\x80"), Some("GIF image"));
        assert_eq!(signature(b"RIFF chunks\n"), None);
        assert_eq!(signature(b"%PDF-1.4\n%abc"), Some("PDF document"));
        assert_eq!(signature(b"MZ = 1\n"), None);
        assert_eq!(signature(b"BM = 1\n"), None);
        assert_eq!(signature(b""), None);
    }

    #[test]
    fn every_signature_passes_the_first_look() {
        for magic in [&b"\x28\xb5\x2f\xfd"[..], b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\0asm", b"\xff\xd8\xff"] {
            assert!(signature(magic).is_some(), "{magic:?}");
        }
    }

    #[test]
    fn controls_are_counted_over_every_chunk() {
        assert_eq!(controls(&[1; 1000]), 1000);
        assert_eq!(controls(b"a\tb\r\nc\x0c\x1b[0m"), 0);
        assert_eq!(controls(b"a\x1a"), 0);
        assert_eq!(controls(b"\x1aa\x7f"), 2);
    }
}
