//! The encoding that a file says it is in.
//!
//! Only bytes that are not UTF-8 ask for it. A declaration that no decoder stands for, that names UTF-8 after all, or
//! that the bytes do not follow, says nothing; then [`super::legacy`] guesses.
//!
//! From: PEP 263; XML 1.0, 4.3.3; the prescan of HTML; CSS Syntax, 3.2; the manuals of Emacs, Vim, Perl and gettext.

use super::single_byte;
use encoding_rs::Encoding;
use regex::bytes::Regex;
use std::sync::LazyLock;

/// How the bytes become characters.
#[derive(Clone, Copy)]
pub enum Decoder {
    /// As the web has it.
    Standard(&'static Encoding),
    /// 128 characters, for 0x80 to 0xFF: code pages that the web does not know.
    Page(&'static [char; 128]),
}

/// Bytes at the beginning that are looked at, and at the end, where editors look as well.
const HEAD: usize = 1 << 12;
const TAIL: usize = 3000;
/// Lines at either end in which Vim looks for its line.
const MODELINES: usize = 5;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that compiles")
}

/// In one of the first two lines: Python, Ruby and Emacs.
static FIRST_LINES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i-u)^[ \t\x0c]*(?:#.*?coding[ \t]*[:=]|.*-\*-(?:.*;)?[ \t]*(?:coding|encoding)[ \t]*:)[ \t]*([-\w.]+)",
    )
});

/// In one of the first or last lines: Vim.
static MODELINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u)(?:^|[ \t])(?:vi|vim[<=>]?[0-9]*|ex):.*?\b(?:fileencoding|fenc)=([-\w.]+)")
});

/// Among the last lines: Emacs.
static LOCAL_VARIABLES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i-u)Local Variables:[^\n]*\n(?:[^\n]*\n)*?[^\n\w]*coding:[ \t]*([-\w.]+)"));

/// At the very beginning: XML and CSS.
static OPENING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?s-u)^\s*(?:<\?xml\s[^>]*?\bencoding\s*=\s*["']([-\w.:]+)["']|@charset\s+["']([-\w.:]+)["']\s*;)"#,
    )
});

/// Anywhere near the beginning: HTML, JSP, gettext, TeX and Perl's documentation.
static NEAR: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r#"<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([-\w.:]+)"#,
        r#"<%@\s*page\s[^%>]*?\b(?:pageEncoding\s*=\s*["']|charset\s*=\s*)([-\w.:]+)"#,
        r##"^["#\s]*Content-Type:\s*text/[-\w]+;\s*charset="?([-\w.:]+)"##,
        r"^[^%\n]*\\usepackage\s*\[\s*([-\w.]+)\s*\]\s*\{inputenc\}",
        r"^%\s*!\s*TeX\s+encoding\s*=\s*([-\w.]+)",
        r"^=encoding[ \t]+([-\w.]+)",
    ];
    pattern(&format!("(?im-u){}", forms.join("|")))
});

/// The decoder of the encoding that `raw` declares, and its name.
///
/// Null: if it declares none, or none that is known.
pub fn find(raw: &[u8]) -> Option<(&'static str, Decoder)> {
    let head = &raw[..raw.len().min(HEAD)];
    let tail = &raw[raw.len().saturating_sub(TAIL)..];
    let first = |regex: &Regex, text: &[u8]| {
        let found = regex.captures(text)?;
        known(found.iter().skip(1).flatten().next()?.as_bytes())
    };
    if let Some(found) = first(&OPENING, head) {
        return Some(found);
    }
    let lines = || head.split(|b| matches!(b, b'\n' | b'\r'));
    let mut from_lines = lines().take(2).filter_map(|line| first(&FIRST_LINES, line));
    from_lines
        .next()
        .or_else(|| lines().take(MODELINES).find_map(|line| first(&MODELINE, line)))
        .or_else(|| {
            let mut last = tail.trim_ascii_end().rsplit(|b| matches!(b, b'\n' | b'\r')).take(MODELINES);
            last.find_map(|line| first(&MODELINE, line))
        })
        .or_else(|| first(&LOCAL_VARIABLES, tail))
        .or_else(|| first(&NEAR, head))
}

/// Spellings of Python, Emacs, Vim and TeX that the web does not know, without `-`, `_` and blanks.
const SPELLINGS: &[(&str, &str)] = &[
    ("latin9", "iso-8859-15"),
    ("isolatin1", "windows-1252"),
    ("isolatin2", "iso-8859-2"),
    ("isolatin9", "iso-8859-15"),
    ("latin10", "iso-8859-16"),
    ("ansinew", "windows-1252"),
    ("ansi", "windows-1252"),
    ("applemac", "macintosh"),
    ("macroman", "macintosh"),
    ("maccyrillic", "x-mac-cyrillic"),
    ("cp932", "shift_jis"),
    ("ms932", "shift_jis"),
    ("mskanji", "shift_jis"),
    ("sjis", "shift_jis"),
    ("japaneseshiftjis", "shift_jis"),
    ("eucjapan", "euc-jp"),
    ("ujis", "euc-jp"),
    ("cp936", "gb18030"),
    ("ms936", "gb18030"),
    ("euccn", "gb18030"),
    ("chinesegbk", "gb18030"),
    ("cp949", "euc-kr"),
    ("ms949", "euc-kr"),
    ("uhc", "euc-kr"),
    ("cp950", "big5"),
    ("ms950", "big5"),
    ("cp874", "windows-874"),
    ("koi8", "koi8-r"),
    ("cyrillickoi8", "koi8-r"),
];

/// What decodes the encoding of that name.
fn known(name: &[u8]) -> Option<(&'static str, Decoder)> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    // Emacs says with the encoding how lines end.
    let name = ["-unix", "-dos", "-mac"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let bare: String = name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ':')).collect();
    match bare.as_str() {
        // ASCII would decode nothing here; the web takes the word for Windows-1252.
        "ascii" | "usascii" | "iso646us" | "ansix341968" => return None,
        "cp437" | "ibm437" => return Some(("cp437", Decoder::Page(&single_byte::CP437))),
        "cp850" | "ibm850" => return Some(("cp850", Decoder::Page(&single_byte::CP850))),
        _ => {}
    }
    let spelt = SPELLINGS.iter().find(|(spelling, _)| *spelling == bare).map(|(_, label)| *label);
    let label = |label: &str| Encoding::for_label(label.as_bytes());
    let encoding = spelt
        .and_then(label)
        .or_else(|| label(name))
        .or_else(|| label(&name.replace('_', "-")))
        .or_else(|| label(&bare))
        // "iso8859_15", "windows1251", "win-1251", "koi8r"
        .or_else(|| label(&format!("iso-8859-{}", bare.strip_prefix("iso8859")?)))
        .or_else(|| label(&format!("windows-{}", bare.strip_prefix("windows").or(bare.strip_prefix("win"))?)))
        .or_else(|| label(&format!("koi8-{}", bare.strip_prefix("koi8")?)))?;
    Some((lower_case(encoding)?, Decoder::Standard(encoding)))
}

/// The name of an encoding of eight bits, as the others are spelt.
///
/// Null: for UTF-8 and UTF-16, which bytes that come here are not in, and for what is no encoding.
fn lower_case(encoding: &'static Encoding) -> Option<&'static str> {
    const NAMES: &[&str] = &[
        "big5",
        "euc-jp",
        "euc-kr",
        "gb18030",
        "ibm866",
        "iso-8859-2",
        "iso-8859-3",
        "iso-8859-4",
        "iso-8859-5",
        "iso-8859-6",
        "iso-8859-7",
        "iso-8859-8",
        "iso-8859-8-i",
        "iso-8859-10",
        "iso-8859-13",
        "iso-8859-14",
        "iso-8859-15",
        "iso-8859-16",
        "koi8-r",
        "koi8-u",
        "macintosh",
        "shift_jis",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "windows-1258",
        "windows-874",
        "x-mac-cyrillic",
    ];
    if encoding == encoding_rs::GBK {
        return Some("gb18030");
    }
    NAMES.iter().find(|name| name.eq_ignore_ascii_case(encoding.name())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(raw: &str) -> Option<&'static str> {
        find(raw.as_bytes()).map(|(name, _)| name)
    }

    #[test]
    fn every_form_of_declaration_is_read() {
        for (raw, expected) in [
            ("# -*- coding: latin-1 -*-\n", "windows-1252"),
            ("#!/usr/bin/python\n# vim: set fileencoding=cp1250 :\n", "windows-1250"),
            ("#coding=euc_jp\n", "euc-jp"),
            ("# encoding: windows-1251\n", "windows-1251"),
            (";; -*- mode: lisp; coding: iso-8859-15-unix -*-\n", "iso-8859-15"),
            ("/* -*- coding: sjis; mode: c -*- */\n", "shift_jis"),
            ("/* vim: set fenc=koi8-r: */\n", "koi8-r"),
            ("int a;\n// vim:ts=4:fileencoding=big5\n", "big5"),
            ("a\n;; Local Variables:\n;; mode: lisp\n;; coding: cp437\n;; End:\n", "cp437"),
            ("<?xml version=\"1.0\" encoding='ISO-8859-7'?><a/>", "iso-8859-7"),
            ("<html><head>\n<meta charset=gbk>", "gb18030"),
            ("<META http-equiv=\"Content-Type\" content=\"text/html; charset=EUC-KR\">", "euc-kr"),
            ("@charset \"windows-1257\";\na{}", "windows-1257"),
            ("<%@ page language=\"java\" pageEncoding=\"Shift_JIS\" %>", "shift_jis"),
            ("msgid \"\"\nmsgstr \"\"\n\"Content-Type: text/plain; charset=CP1255\\n\"\n", "windows-1255"),
            ("\\documentclass{a}\n\\usepackage[latin9]{inputenc}\n", "iso-8859-15"),
            ("% !TeX encoding = ISO-8859-2\n", "iso-8859-2"),
            ("=encoding cp850\n\n=head1 NAME\n", "cp850"),
            ("# coding: iso8859_8\n", "iso-8859-8"),
            ("# coding: win-1251\n", "windows-1251"),
        ] {
            assert_eq!(name(raw), Some(expected), "{raw}");
        }
    }

    #[test]
    fn what_declares_nothing_is_not_read() {
        for raw in [
            "",
            "x = 1\ny = 2\n# coding: cp1251\n", // Python looks at two lines
            "# coding: utf-8\n",
            "# coding: ascii\n",
            "# coding: klingon\n",
            "print('coding: cp1251')\n",
            "a decoding: cp1251\n",
            "<a encoding=\"cp1251\"/>",
            "% \\usepackage[latin1]{inputenc}\n",
        ] {
            assert_eq!(name(raw), None, "{raw}");
        }
    }
}
