//! Swift. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::declarations::declarations;
use super::scan::Needles;
use super::shares::{per_line, share_of_lines};
use crate::signals::{Applies, signals};
use memchr::memchr_iter;

static PRINT: Needles = Needles::words(&["print", "debugPrint", "NSLog"]);

/// `!` right after a word, a bracket or `?`, unless it begins `!=`.
fn force_unwraps(code: &str) -> usize {
    let bytes = code.as_bytes();
    let is_value = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b')' | b']' | b'?');
    memchr_iter(b'!', bytes)
        .filter(|&at| at > 0 && is_value(bytes[at - 1]) && bytes.get(at + 1) != Some(&b'='))
        .count()
}

signals! {
    family "swift", version 1, Applies::Languages(&["swift"]);

    /// Lines that begin with `func` after modifiers and attributes, per code line.
    ///
    /// Unit: functions per line; initialisers and closures do not count.
    /// Null: no code lines.
    /// Why: none at all is a list of constants; one on every line is a protocol or a stub.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: swift "@objc private func f() {\n}\n" → 0.5
    fn swift_functions_per_line(document) { per_line(declarations(document).functions, document) }

    /// Lines that begin with `import` after attributes, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: a file that mostly imports says nothing itself.
    /// From: ours.
    /// Example: swift "@testable import A\nlet b = 1\n" → 0.5
    fn swift_imports_per_line(document) { per_line(declarations(document).imports, document) }

    /// Code lines with `print`, `debugPrint` or `NSLog`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is an exercise or a dump.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: swift "print(1)\nfootprint(2)\n" → 0.5
    fn swift_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Lines that begin with `class`, `struct`, `enum`, `protocol`, `extension` or `actor` after modifiers, per code
    /// line.
    ///
    /// Unit: lines per line; `class func` counts.
    /// Null: no code lines.
    /// Why: many with little in them are data carriers written by a tool.
    /// From: ours.
    /// Example: swift "public struct A {\n}\n" → 0.5
    fn swift_classes_per_line(document) { per_line(declarations(document).classes, document) }

    /// `!` right after a value, a type, `try` or `as`, per code line.
    ///
    /// Unit: count per line; can exceed 1. A `!` after a word in a string counts too.
    /// Null: no code lines.
    /// Why: each is a crash waiting; converters from Objective-C leave them on every use.
    /// From: ours.
    /// Example: swift "a!.b(try! c())\nif !d && e != f {}\n" → 1
    fn swift_force_unwraps_per_line(document) {
        per_line(force_unwraps(&document.split().code), document)
    }
}
