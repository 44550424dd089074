//! SQL. Beyond opc_data_filtering, which judges SQL but measures nothing of its own on it.

use super::scan::is_blank;
use super::shares::per_line;
use super::tokens::{keyword, stripped};
use crate::signals::{Applies, Document, ratio, round8, signals};
use memchr::{memchr, memchr2, memchr3};

/// The statements of a document.
#[derive(Default)]
pub struct Facts {
    statements: usize,
    definitions: usize,
    queries: usize,
    chars: usize,
    insert_lines: usize,
    row_lines: usize,
}

fn facts<'d>(document: &'d Document<'_>) -> &'d Facts {
    document.derived(|| {
        let mut facts = Facts::default();
        for statement in statements(&document.split().code) {
            let word = keyword(statement, &[]).to_ascii_lowercase();
            facts.statements += 1;
            facts.definitions += usize::from(matches!(&*word, "create" | "alter" | "drop" | "truncate"));
            facts.queries += usize::from(matches!(&*word, "select" | "with"));
            facts.chars += statement.chars().count();
        }
        for line in stripped(document) {
            facts.insert_lines += usize::from(begins(line, "insert"));
            facts.row_lines += usize::from(is_row(line));
        }
        facts
    })
}

/// What stands between semicolons outside quotes, stripped, if not blank. A quote that is not closed runs to the end.
fn statements(code: &str) -> Vec<&str> {
    let bytes = code.as_bytes();
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    loop {
        let end = memchr3(b';', b'\'', b'"', &bytes[at..]).map_or(bytes.len(), |i| at + i);
        if end < bytes.len() && bytes[end] != b';' {
            at = memchr(bytes[end], &bytes[end + 1..]).map_or(bytes.len(), |i| end + i + 2);
            continue;
        }
        let statement = code[start..end].trim_matches(is_blank);
        if !statement.is_empty() {
            found.push(statement);
        }
        if end == bytes.len() {
            return found;
        }
        (start, at) = (end + 1, end + 1);
    }
}

fn begins(line: &str, word: &str) -> bool {
    keyword(line, &[]).eq_ignore_ascii_case(word)
}

/// Whether it is a row of data: `(`, a number, a quote or `null`, and a comma somewhere.
fn is_row(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('(') else { return false };
    let rest = rest.trim_start();
    let data = rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '\'' | '"' | '-'));
    (data || begins(rest, "null")) && memchr2(b',', b')', rest.as_bytes()).is_some()
}

signals! {
    family "sql", version 1, Applies::Languages(&["sql"]);

    /// Statements, cut at semicolons outside quotes, per code line.
    ///
    /// Unit: statements per line; the body of a procedure is several.
    /// Null: no code lines.
    /// Why: above one per line it is a dump written by a tool.
    /// From: ours.
    /// Example: sql "select ';';\nselect\n1\n" → 0.66666667
    fn sql_statements_per_line(document) { per_line(facts(document).statements, document) }

    /// Code lines that begin with `insert`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: a file of inserts is data.
    /// From: ours.
    /// Example: sql "INSERT INTO a VALUES (1);\nselect 1;\n" → 0.5
    fn sql_frac_lines_insert(document) { per_line(facts(document).insert_lines, document) }

    /// Statements that begin with `create`, `alter`, `drop` or `truncate`.
    ///
    /// Unit: fraction of statements.
    /// Null: no statements.
    /// Why: tells schemas and migrations from queries.
    /// From: ours.
    /// Example: sql "create table a (b int); select 1;" → 0.5
    fn sql_frac_ddl_statements(document) {
        let facts = facts(document);
        ratio(facts.definitions, facts.statements)
    }

    /// Statements that begin with `select` or `with`.
    ///
    /// Unit: fraction of statements.
    /// Null: no statements.
    /// Why: queries are what people who write SQL think in.
    /// From: ours.
    /// Example: sql "create table a (b int); select 1;" → 0.5
    fn sql_frac_select_statements(document) {
        let facts = facts(document);
        ratio(facts.queries, facts.statements)
    }

    /// Mean length of a statement, stripped and without its semicolon.
    ///
    /// Unit: characters.
    /// Null: no statements.
    /// Why: very long ones carry rows of data; very short ones only set options.
    /// From: ours.
    /// Example: sql "select 1;\nselect 100;" → 9
    fn sql_mean_statement_chars(document) {
        let facts = facts(document);
        (facts.statements > 0).then(|| round8(facts.chars as f64 / facts.statements as f64))
    }

    /// Code lines that are rows of data: they begin with a bracket and a number, a quote or `null`.
    ///
    /// Unit: fraction of code lines.
    /// Null: no code lines.
    /// Why: the rows of a dump, which teach nothing about SQL.
    /// From: ours.
    /// Example: sql "insert into a values\n(1, 2),\n('b', 3);\n(select 1)\n" → 0.5
    fn sql_frac_lines_values(document) { per_line(facts(document).row_lines, document) }
}

#[cfg(test)]
mod tests {
    use super::{is_row, statements};

    #[test]
    fn statements_are_cut_at_semicolons_outside_quotes() {
        assert_eq!(statements("a 'it''s; b' ; \"c;d\";;\n; e"), ["a 'it''s; b'", "\"c;d\"", "e"]);
        assert_eq!(statements("a 'b; c"), ["a 'b; c"]);
        assert!(statements("").is_empty());
    }

    #[test]
    fn rows() {
        assert!(is_row("(1, 2),") && is_row("( NULL, 'a')") && is_row("(-1)"));
        assert!(!is_row("(a, b)") && !is_row("1, 2") && !is_row("(nullable,"));
    }

    #[test]
    fn repeated_quotes_are_linear() {
        for piece in ["'", "\"';", ";", "'\""] {
            statements(&piece.repeat(1_000_000));
        }
    }
}
