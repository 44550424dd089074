//! PHP. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::scan::Needles;
use super::shares::{flag, per_line, share_of_lines};
use super::tokens::{keyword, stripped};
use crate::signals::{Applies, Document, ratio, signals};

const MODIFIERS: [&str; 8] =
    ["<?php", "public", "private", "protected", "static", "final", "abstract", "readonly"];

static PRINT: Needles = Needles::words(&["echo", "print", "printf", "print_r", "var_dump"]);
static SQL: Needles = Needles::literals(&["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "]);

/// How many lines there are of each kind.
#[derive(Default)]
pub struct Facts {
    functions: usize,
    namespaces: usize,
    uses: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let mut facts = Facts::default();
        for line in stripped(document) {
            facts.functions += usize::from(keyword(line, &MODIFIERS) == "function");
            let word = keyword(line, &["<?php"]);
            facts.namespaces += usize::from(word == "namespace");
            facts.uses += usize::from(word == "use");
        }
        facts
    })
}

/// Characters outside `<?php … ?>` and `<?= … ?>`. A `?>` within a string ends the code too.
fn markup_chars(content: &str) -> usize {
    let (mut chars, mut rest) = (0, content);
    loop {
        let opener = memchr::memmem::find_iter(rest.as_bytes(), "<?")
            .find(|at| rest[at + 2..].starts_with("php") || rest[at + 2..].starts_with('='));
        let Some(open) = opener else { return chars + rest.chars().count() };
        chars += rest[..open].chars().count();
        let Some(close) = rest[open..].find("?>") else { return chars };
        rest = &rest[open + close + 2..];
    }
}

signals! {
    family "php", version 1, Applies::Languages(&["php"]);

    /// Lines that begin with `function` after modifiers, per code line.
    ///
    /// Unit: functions per line; closures within a line do not count.
    /// Null: no code lines.
    /// Why: none at all is a page or a configuration; one on every line is an interface or a stub.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: php "<?php\npublic static function f() {}\n" → 0.5
    fn php_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Characters outside `<?php … ?>` and `<?= … ?>`.
    ///
    /// Unit: fraction of the content's characters.
    /// Null: the content is empty.
    /// Why: a file that is nearly all markup is a template, and its PHP a few holes in it.
    /// From: ours.
    /// Example: php "<b><?= $a ?></b>" → 0.4375
    fn php_frac_chars_markup(document) {
        ratio(markup_chars(document.content), document.content.chars().count())
    }

    /// Code lines with `echo`, `print`, `printf`, `print_r` or `var_dump`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file that mostly prints is a page assembled by hand.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: php "<?php\necho 1;\n" → 0.5
    fn php_frac_lines_print(document) { share_of_lines(document, &PRINT) }

    /// Code lines with `SELECT`, `INSERT INTO`, `UPDATE` or `DELETE FROM` in capitals.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: queries written into pages are the style that injections come from.
    /// From: ours.
    /// Example: php "<?php\n$a = \"SELECT * FROM t\";\n" → 0.5
    fn php_frac_lines_sql(document) { share_of_lines(document, &SQL) }

    /// Whether a line declares a namespace.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: PHP since 2009 has one in every library file; scripts and older code have none.
    /// From: ours.
    /// Example: php "<?php\nnamespace App;\n" → 1
    fn php_has_namespace(document) { flag(facts(document).namespaces > 0) }

    /// Lines that begin with `use`, of a namespace or a trait, per code line.
    ///
    /// Unit: lines per line.
    /// Null: no code lines.
    /// Why: a file that mostly imports wires others together and cannot run alone.
    /// From: ours.
    /// Example: php "<?php\nuse A\\B;\n" → 0.5
    fn php_uses_per_line(document) { per_line(facts(document).uses, document) }
}

#[cfg(test)]
mod tests {
    use super::markup_chars;

    #[test]
    fn markup() {
        assert_eq!(markup_chars("ä<?xml ?><?php a ?>b<?= c"), 10);
        assert_eq!(markup_chars(""), 0);
        assert_eq!(markup_chars(&"<?".repeat(1_000_000)), 2_000_000);
        assert_eq!(markup_chars(&"<?=?>".repeat(500_000)), 0);
    }
}
