//! HTML.
//!
//! The visible text is that of opc_data_filtering, whose parser is BeautifulSoup 4.12 over `html.parser` of Python
//! 3.11. Neither follows the standard: no tree is repaired, an unclosed comment is text, and a broken character
//! reference can turn what follows into text. Thresholds were tuned on that, so it is followed here to the letter, on
//! counts alone: no tree is built and no text is copied.

mod page;
mod parser;

use super::shares::flag;
use crate::signals::{Applies, Document, ratio, signals};
use parser::Parser;

/// Characters of visible text; `None` if the parser gives up.
pub struct Facts(Option<usize>);

fn text_chars(document: &Document<'_>) -> Option<usize> {
    document.derived(|| Facts(Parser::new(document.content).run())).0
}

signals! {
    family "html", version 1, Applies::Languages(&["html"]);

    /// Whether the parser comes to the end.
    ///
    /// Unit: flag.
    /// Null: never.
    /// Why: only freaks stop it, such as a character reference of thousands of digits or `<![` before no known word;
    /// as a guard against hostile texts, so does one whose unclosed start tags make it go back over the text eight
    /// times.
    /// From: opc_data_filtering, `qsc_codehtml_cate_ast`.
    /// Example: html "<p>a</b><![unknown[x]]>" → 0
    fn html_parses(document) { flag(text_chars(document).is_some()) }

    /// Length of the visible text: all between tags but scripts, styles, templates and ruby annotations, with
    /// references decoded and blanks between two tags as one.
    ///
    /// Unit: characters.
    /// Null: the parser gave up.
    /// Why: a page with little to read has little to learn from.
    /// From: opc_data_filtering, `qsc_codehtml_num_chars_text`.
    /// Example: html "<p>a &amp; b</p>  \n <script>x</script>" → 6
    fn html_num_chars_text(document) { text_chars(document).map(|chars| chars as f64) }

    /// Share of the content that is visible text, as in `html_num_chars_text`.
    ///
    /// Unit: fraction of characters.
    /// Null: the parser gave up, or the content is empty.
    /// Why: a page that is nearly all markup is a template or the output of a tool.
    /// From: opc_data_filtering, `qsc_codehtml_frac_words_text`, which counts characters in spite of its name.
    /// Example: html "<b>abc</b>" → 0.3
    fn html_frac_chars_text(document) { ratio(text_chars(document)?, document.content.chars().count()) }
}

#[cfg(test)]
mod tests {
    use super::Parser;

    fn chars(content: &str) -> Option<usize> {
        Parser::new(content).run()
    }

    #[test]
    fn blanks_between_tags_are_one() {
        for (content, expected) in [
            ("<p>  \n </p>", 1),
            ("<pre>  \n </pre>", 4),
            ("<p> a </p>", 3),
            ("<br>  </br>  ", 1), // the end tag of a void element ends no text
            ("<b>  </i>  ", 2),
            ("<p>&#32;&Tab; </p>", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn what_is_hidden() {
        for (content, expected) in [
            ("<script>if (a</b>) x</script >b", 1),
            ("<script>never closed <b>", 0),
            ("<template><p>a</p><![CDATA[bc]]></template>d", 3),
            ("<ruby>a<rt>b</ruby>c", 2),
            ("<script/>a", 1),
            ("<!-- a -- >b<!doctype c><?d>e<!f>", 2),
            ("<!-- never closed", 17),
            ("<![if a]>b<![endif]>", 1),
            ("<![CDATA[]]>", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn references() {
        for (content, expected) in [
            ("&lt;&copy &nope; &b.c", 1 + 2 + 6 + 4),
            ("&NotEqualTilde;", 2),
            ("a & b &", 7),
            ("&#x41;&#128;&#xFFFFFFFFFF;", 3),
            ("x&a", 2),
            ("&#12a<b>", 8),
            ("&#z;<b>&#z;<b>c", 4 + 8), // the second one makes all after it text
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
        assert_eq!(chars(&format!("&#{};", "1".repeat(4301))), None);
        assert_eq!(chars(&format!("&#{};", "1".repeat(4300))), Some(1));
        assert_eq!(chars("<![x"), Some(4));
        assert_eq!(chars("<![x "), Some(5));
        assert_eq!(chars("<![x]>"), None);
    }

    #[test]
    fn tags() {
        for (content, expected) in [
            ("<a b='>' c=\">\" d=>e", 1),
            ("<a b= '>c", 1),
            ("<a b='>c", 8),
            ("<a b=='>c", 1),
            ("<a\0>b", 5),
            ("< a><3", 6),
            ("</ a></></3>x", 1),
            ("<pre x=/>  ", 2),
            ("<pre x />  ", 1),
        ] {
            assert_eq!(chars(content), Some(expected), "{content}");
        }
    }

    #[test]
    fn hostile_texts_are_linear() {
        for piece in [
            "<a ",
            "<a b='",
            "<!--",
            "<![if ",
            "<![cdata[",
            "</",
            "<b>",
            "</b>",
            "&",
            "&#",
            "&a-",
            "<a<",
            "--",
            "]",
        ] {
            for end in ["", ">", "\"", "'>"] {
                chars(&(piece.repeat(1_000_000 / piece.len()) + end));
            }
        }
    }
}
