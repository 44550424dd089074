//! Shell. Beyond opc_data_filtering, which has no signals for it; the patterns look at lines, not at a tree.

use super::scan::Needles;
use super::shares::{flag, per_line, share_of_lines};
use super::tokens::{keyword, stripped};
use crate::signals::{Applies, Document, signals};
use memchr::memchr_iter;

static PRIVILEGED: Needles = Needles::words(&["sudo", "rm -rf", "rm -fr"]);

/// How many lines there are of each kind.
#[derive(Default)]
pub struct Facts {
    functions: usize,
    echoes: usize,
    assignments: usize,
    pipes: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let mut facts = Facts::default();
        for line in stripped(document) {
            let word = keyword(line, &[]);
            facts.functions += usize::from(word == "function" || is_function(line));
            facts.echoes += usize::from(matches!(word, "echo" | "printf"));
            facts.assignments += usize::from(is_assignment(line));
            facts.pipes += usize::from(has_pipe(line));
        }
        facts
    })
}

fn name_length(line: &str) -> usize {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.');
    line.bytes().take_while(|&byte| is_name(byte)).count()
}

/// `name()` at the start.
fn is_function(line: &str) -> bool {
    let name = name_length(line);
    let rest = line[name..].trim_start();
    let bracket = rest.strip_prefix('(').is_some_and(|rest| rest.trim_start().starts_with(')'));
    name > 0 && bracket
}

/// `NAME=`, `NAME+=` or `NAME[i]=` at the start, perhaps after `export` and the like.
fn is_assignment(line: &str) -> bool {
    let declared = ["export ", "local ", "readonly "].iter().find_map(|word| line.strip_prefix(word));
    let line = declared.unwrap_or(line).trim_start();
    let name = line.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let mut rest = &line[name..];
    if let Some(index) = rest.strip_prefix('[') {
        rest = index.split_once(']').map_or("", |(_, rest)| rest);
    }
    name > 0
        && !line.as_bytes()[0].is_ascii_digit()
        && rest.strip_prefix('+').unwrap_or(rest).starts_with('=')
}

/// Whether there is a `|` that is not part of `||`, `>|` or of an escape.
fn has_pipe(line: &str) -> bool {
    let bytes = line.as_bytes();
    memchr_iter(b'|', bytes).any(|at| {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        !matches!(before, Some(b'|' | b'>' | b'\\')) && bytes.get(at + 1) != Some(&b'|')
    })
}

signals! {
    family "shell", version 1, Applies::Languages(&["shell"]);

    /// Lines that begin with `name()` or `function`, per code line.
    ///
    /// Unit: functions per line.
    /// Null: no code lines.
    /// Why: a script in functions is a program; one without is a list of commands.
    /// From: ours, after `qsc_codec_frac_lines_func_ratio` of opc_data_filtering.
    /// Example: shell "f() {\n  ls\n}\nf\n" → 0.25
    fn shell_functions_per_line(document) { per_line(facts(document).functions, document) }

    /// Whether the file begins with `#!`.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: tells scripts that are run from fragments that are sourced or pasted.
    /// From: ours.
    /// Example: shell "#!/bin/sh\nls\n" → 1
    fn shell_has_shebang(document) { flag(document.content.starts_with("#!")) }

    /// Code lines that begin with `echo` or `printf`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a script that mostly prints is a banner or a menu.
    /// From: ours, after `qsc_codec_frac_lines_print` of opc_data_filtering.
    /// Example: shell "echo a\nls\n" → 0.5
    fn shell_frac_lines_echo(document) { per_line(facts(document).echoes, document) }

    /// Code lines that begin with an assignment, perhaps after `export`, `local` or `readonly`.
    ///
    /// Unit: fraction of code lines; one before a command counts.
    /// Null: no code lines.
    /// Why: a script that only assigns is a configuration.
    /// From: ours.
    /// Example: shell "export A=1\nb+=2\nc[0]=3\nls --d=4\n" → 0.75
    fn shell_frac_lines_assignments(document) { per_line(facts(document).assignments, document) }

    /// Code lines with a pipe.
    ///
    /// Unit: fraction of code lines; alternatives of `case` count.
    /// Null: no code lines.
    /// Why: commands that are joined compute something; those that are listed only install.
    /// From: ours.
    /// Example: shell "ls | wc -l\nls || exit\n" → 0.5
    fn shell_frac_lines_pipes(document) { per_line(facts(document).pipes, document) }

    /// Code lines with `sudo`, `rm -rf` or `rm -fr`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: set-up scripts of one machine, which no sandbox can run.
    /// From: ours.
    /// Example: shell "sudo ls\nrm -rf build\nls\npseudo\n" → 0.5
    fn shell_frac_lines_privileged(document) { share_of_lines(document, &PRIVILEGED) }
}

#[cfg(test)]
mod tests {
    use super::{has_pipe, is_assignment, is_function};

    #[test]
    fn lines() {
        for line in ["f() {", "f ( ) {", "a-b::c()"] {
            assert!(is_function(line), "{line}");
        }
        assert!(["()", "f (a)", "functional"].iter().all(|line| !is_function(line)));
        assert!(["1a=b", "=", "a =b", "a[=", "[ a = b ]"].iter().all(|line| !is_assignment(line)));
        assert!(has_pipe("a|b") && has_pipe("a || b | c") && has_pipe("|"));
        assert!(!has_pipe("a >| b") && !has_pipe(r"grep a\|b"));
    }
}
