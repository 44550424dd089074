//! How deep a text nests, so that CPython's limits hold and no stack is too small.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// The most brackets that are open at once, and indentations.
const BRACKETS: usize = 200;
const INDENTS: usize = 100;

/// Levels beyond which there is no tree: operators that chain within one statement.
const LEVELS: usize = 262_000;

/// An upper bound on how deep the tree of `source` is, from its bytes alone.
///
/// It need not be exact below `few`: a sign or a word is a byte, or two, at least.
pub fn at_most(source: &str, few: usize) -> usize {
    if source.len() <= few {
        return source.len();
    }
    let signs: usize = source.as_bytes().chunks(255).map(signs).sum();
    if signs + source.len() / 2 <= few {
        return signs + source.len() / 2;
    }
    let words = ["not", "lambda", "if", "await"];
    signs + words.map(|word| memchr::memmem::find_iter(source.as_bytes(), word).count()).iter().sum::<usize>()
}

/// How many of at most 255 bytes are brackets, dots or operators; the compiler makes vectors of the comparisons.
fn signs(bytes: &[u8]) -> usize {
    const SIGNS: [u8; 18] = *b"([{.+-*/%@&|^~<>=!";
    let is_sign = |byte: &u8| SIGNS.iter().fold(0, |is, sign| is | u8::from(byte == sign));
    usize::from(bytes.iter().map(is_sign).sum::<u8>())
}

/// The same from the tokens of `source`; `None` beyond the limits.
pub fn of_text(source: &str) -> Option<usize> {
    let mut lexer = lexer::lex(source, Mode::Module);
    let kinds = std::iter::from_fn(|| Some(lexer.next_token()).filter(|kind| *kind != TokenKind::EndOfFile));
    of_tokens(kinds)
}

/// Whether `source` holds what no program does: a character that begins no token, or two values side by side.
///
/// `false` says nothing; but texts that are errors all over are recognised by their first, while a parser that goes on
/// behind errors takes far longer over them than over programs.
pub fn surely_fails(source: &str) -> bool {
    use TokenKind::{
        Complex, EndOfFile, FStringEnd, FStringStart, Float, Int, Name, String, TStringEnd, TStringStart,
        Unknown,
    };
    let mut lexer = lexer::lex(source, Mode::Module);
    let mut before = TokenKind::Newline;
    loop {
        let kind = lexer.next_token();
        match (before, kind) {
            (_, EndOfFile) => return false,
            (_, Unknown)
            | (
                Name | Int | Float | Complex | String | FStringEnd | TStringEnd,
                Name | Int | Float | Complex,
            )
            | (Name | Int | Float | Complex, String | FStringStart | TStringStart) => return true,
            _ => before = kind,
        }
    }
}

/// The same from tokens; `None` beyond the limits.
///
/// Brackets and indentations nest; within a logical line, operators and dots make chains, which end at a comma.
pub fn of_tokens(kinds: impl Iterator<Item = TokenKind>) -> Option<usize> {
    // The chain in the innermost bracket, and those in the brackets around it, which are the sum.
    let (mut chain, mut around, mut sum) = (0_usize, Vec::new(), 0);
    let (mut indents, mut deepest) = (0_usize, 0);
    for kind in kinds {
        match kind {
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle => continue,
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Newline => {
                around.clear();
                (chain, sum) = (0, 0);
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                around.push(chain);
                sum += chain;
                chain = 1;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                if let Some(outer) = around.pop() {
                    sum -= outer;
                    chain = outer;
                }
                chain += usize::from(around.is_empty()); // f()()() is a chain as well
            }
            TokenKind::Comma => chain = 1,
            _ => chain += 1,
        }
        if around.len() >= BRACKETS || indents > INDENTS {
            return None;
        }
        deepest = deepest.max(sum + chain);
    }
    Some(deepest).filter(|&deepest| deepest <= LEVELS)
}

#[cfg(test)]
mod tests {
    use super::{at_most, of_text, surely_fails};

    #[test]
    fn what_surely_fails() {
        for text in ["\\\\", "\u{1}", "a b a b", "print 'a'", "1 2", "f'' a", "(a b)", "f'{a b}'"] {
            assert!(surely_fails(text), "{text}");
        }
        let fine = [
            "match a:\n case b: pass\n",
            "type A = int\n",
            "match = case = type\n",
            "f'a{b!r:>{c}}d' 'e'\n",
            "1if a else 2\n",
            "a if not b else lambda: c\n",
            "async def f(): await g\n",
        ];
        for text in fine {
            assert!(!surely_fails(text), "{text}");
        }
    }

    #[test]
    fn bytes_count_at_least_what_tokens_count() {
        for text in ["f(a)[b].c\n", "x = not -a if b else lambda: c\n", "f'{a!r:{b}}'\n", "not\tnot\ta\n"] {
            assert!(at_most(text, 0) > 0 && of_text(text).is_some(), "{text}");
        }
        assert_eq!(at_most(&"(".repeat(100_000), 1000), 100_000);
        assert_eq!((at_most("a b c", 5), at_most("a if b not", 6)), (5, 5));
        assert_eq!((of_text(&"(".repeat(300)), of_text(&"-".repeat(300_000))), (None, None));
    }
}
