//! What the names of elements, classes and ids say: what is content, what is furniture, and which language code is in.
//!
//! The words are those of the site generators, highlighters and forums that pages with code are made with: Sphinx,
//! MkDocs, Docusaurus, VitePress, Javadoc, Doxygen, rustdoc, GitBook, Jekyll, Hugo, Asciidoctor, Pandoc, MediaWiki,
//! Discourse, Stack Exchange, Jupyter; Pygments, Rouge, Chroma, highlight.js, Prism, Shiki, SyntaxHighlighter, Crayon.

use super::tokens::Attributes;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

fn set(words: &str) -> FxHashSet<&str> {
    words.split_whitespace().collect()
}

/// Elements that show no text of the page.
static NEVER: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "button select option datalist template svg canvas object audio video map dialog nav clipboard-copy head",
    )
});

/// Elements after and before which a line ends.
static BLOCK: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form \
         h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu ol p pre section summary table tbody td \
         tfoot th thead tr ul caption",
    )
});

static VOID: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set("area base br col embed frame hr img input keygen link meta param source track wbr")
});

/// Classes, ids and roles of what surrounds content.
static FURNITURE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "nav navbar navigation nav-bar topnav top-nav sub-nav bottom-nav subnav skip-nav menubar menu-bar mainmenu \
         sidebar side-bar sidenav side-nav sphinxsidebar sphinxsidebarwrapper bd-sidebar wy-nav-side \
         wy-nav-top rst-footer-buttons rst-versions rst-other-versions md-header md-footer md-sidebar md-nav md-tabs \
         md-skip md-source-file md-search md-dialog md-announce theme-doc-toc-mobile theme-doc-toc-desktop \
         theme-doc-sidebar-container theme-doc-breadcrumbs theme-doc-footer pagination-nav table-of-contents \
         tableofcontents toc toc-wrapper localtoc on-this-page page-toc \
         vpnav vpsidebar vpfooter vplocalnav vpdocfooter breadcrumb breadcrumbs footer site-footer page-footer \
         site-header page-header-nav masthead headerlink anchorjs-link hash-link anchor-link header-anchor permalink \
         copybtn copybutton copy-btn copy-button copy-code-button btn-clipboard clipboard zeroclipboard-container \
         code-block-copy cookie cookie-banner cookie-consent cookie-notice gdpr banner contentinfo complementary search \
         searchbox searchform skip-link skiplink skip-to-content sr-only visually-hidden screen-reader-text \
         pagination pager prev-next prevnext prev_next related share sharing social social-links advert advertisement \
         ads adsbygoogle edit-this-page editsection mw-editsection navbox mw-jump-link mw-navigation catlinks \
         printfooter navpath nav-path titlearea main-nav navrow navrow1 navrow2 msearchselectwindow \
         ttc dynsection-hidden out-of-band copy-path sidebar-elems rustdoc-breadcrumbs crawler-nav topic-map \
         crawler-linkback-list suggested-topics js-vote-count post-menu prompt input_prompt output_prompt \
         jp-inputprompt jp-outputprompt jp-inputcollapser jp-outputcollapser navheader navfooter navi_link comments-link",
    )
});

/// Classes and ids of what holds the content of a page, where there is no `main`.
static CONTENT: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "body document rst-content markdown-body md-content theme-doc-markdown vp-doc post-body entry-content \
         post-content article-body article-content articlebody cooked s-prose postcell post-text answercell contents \
         mw-content-text mw-parser-output bodycontent jp-notebook notebook-container page-inner markdown-section \
         asciidoc preamble sect1 maincontent main-content docs-content documentation",
    )
});

/// Classes of line numbers beside code.
static GUTTER: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "linenos linenodiv lineno linenumber linenumbers line-number line-num line-numbers-rows gutter gl ln lnt \
         hljs-ln-numbers hljs-ln-n blob-num code-line-number react-syntax-highlighter-line-number source-line-no \
         src-line-numbers codemirror-linenumber crayon-nums crayon-num rouge-gutter lnum ttc copybtn copybutton",
    )
});

/// What says that code is in no language.
static NO_LANGUAGE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "default none text plain plaintext plain-text txt nohighlight no-highlight notranslate auto unknown source undefined \
         en de fr zh ja es ru pt ko en-us zh-cn",
    )
});

/// Names of languages that are found as the only class of code.
static BARE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    set(
        "apache asm bash batch clojure cpp csharp css dart diff dockerfile dos elixir erlang fsharp go graphql groovy haskell \
         hcl html html4strict html5 ini java java5 javascript js json jsx kotlin latex lisp lua make matlab mysql objc \
         objectivec pascal perl php plsql powershell python r ruby rust scala scheme scss sh shell sql swift tcl terraform \
         toml tsx typescript vb vbnet vim xml yaml",
    )
});

/// How an element is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Like its surroundings.
    Plain,
    /// Nothing of it is shown.
    Furniture,
    /// It holds the content of the page.
    Content,
}

/// Whether an element has no end tag.
pub fn is_void(name: &str) -> bool {
    VOID.contains(name)
}

/// Whether a line ends before and after an element.
pub fn is_block(name: &str) -> bool {
    BLOCK.contains(name)
}

/// The names of all elements that are blocks.
pub fn blocks() -> impl Iterator<Item = &'static str> {
    BLOCK.iter().copied()
}

/// Whether a word of `value` is in `words`. Words are compared in lower case.
fn any_word(value: &str, words: &FxHashSet<&str>) -> bool {
    let mut buffer = [0u8; 40];
    value.split_ascii_whitespace().any(|word| {
        let Some(lower) = buffer.get_mut(..word.len()) else { return false };
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).is_ok_and(|word| words.contains(word))
    })
}

/// How an element with this name (in lower case) is treated; `in_content`: whether it is inside of such.
pub fn role(name: &str, attributes: &Attributes, in_content: bool, strict: bool) -> Role {
    if NEVER.contains(name) {
        return Role::Furniture;
    }
    if name == "main" || attributes.role == "main" || attributes.itemprop == "articleBody" {
        return Role::Content;
    }
    if matches!(name, "body" | "html") {
        return Role::Plain;
    }
    // Of tabs all but one are hidden, and are content.
    if attributes.hidden && name != "code" && name != "pre" && attributes.role != "tabpanel" {
        return Role::Furniture;
    }
    if strict {
        if matches!(name, "footer" | "header" | "aside") && !in_content {
            return Role::Furniture;
        }
        let named = [attributes.class, attributes.id, attributes.role];
        if !matches!(name, "article" | "pre" | "code")
            && named.iter().any(|v| !v.is_empty() && any_word(v, &FURNITURE))
        {
            return Role::Furniture;
        }
    }
    if name == "article" || any_word(attributes.class, &CONTENT) || any_word(attributes.id, &CONTENT) {
        return Role::Content;
    }
    Role::Plain
}

/// Whether an element holds line numbers or buttons instead of code.
pub fn is_gutter(name: &str, attributes: &Attributes) -> bool {
    if attributes.nosnippet {
        return true;
    }
    if attributes.class.is_empty() {
        return false;
    }
    if name == "pre" {
        // Prism says `line-numbers` on the code itself.
        return ["lineno", "src-line-numbers", "line-numbers-rows"].contains(&attributes.class.trim());
    }
    name != "code" && any_word(attributes.class, &GUTTER)
}

/// Whether an element holds code as `pre` does, though it is none.
pub fn is_code(name: &str, attributes: &Attributes) -> bool {
    match name {
        "pre" | "listing" | "xmp" => true,
        "div" => attributes.class.split_ascii_whitespace().any(|word| word == "fragment"),
        _ => false,
    }
}

/// The language that classes or attributes of an element name, in lower case.
///
/// Null: they name none, or say that there is none.
pub fn language(attributes: &Attributes) -> Option<String> {
    let named =
        if attributes.lang.is_empty() { None } else { brush(attributes.lang).or(Some(attributes.lang)) };
    let found = named.or_else(|| of_class(attributes.class))?;
    let lower = found.trim_matches(|c: char| c == '{' || c == '}' || c == '.').to_ascii_lowercase();
    let sound = |c: char| c.is_ascii_alphanumeric() || "+#-._/".contains(c);
    if lower.is_empty()
        || lower.len() > 40
        || !lower.chars().all(sound)
        || NO_LANGUAGE.contains(lower.as_str())
    {
        return None;
    }
    Some(match lower.as_str() {
        "python3" | "ipython3" | "ipython" | "py3" => "python".to_owned(),
        "pycon3" => "pycon".to_owned(),
        _ => lower,
    })
}

/// `brush: java; gutter: false`
fn brush(value: &str) -> Option<&str> {
    let at = value.find("brush:")? + "brush:".len();
    let name = value[at..].trim_start();
    Some(&name[..name.find([';', ' ', '"']).unwrap_or(name.len())])
}

fn of_class(class: &str) -> Option<&str> {
    if class.is_empty() {
        return None;
    }
    if let Some(name) = brush(class) {
        return Some(name);
    }
    const PREFIXES: [&str; 8] = [
        "language-",
        "lang-",
        "highlight-source-",
        "mw-highlight-lang-",
        "highlight-text-",
        "highlight-",
        "src-",
        "hl-",
    ];
    const NOT_LANGUAGES: [&str; 4] = ["wrapper", "container", "block", "lines"];
    let words = || class.split_ascii_whitespace();
    for word in words() {
        for prefix in PREFIXES {
            if let Some(name) = word.strip_prefix(prefix) {
                if !name.is_empty() && !NOT_LANGUAGES.contains(&name) && !name.starts_with("line") {
                    return Some(name);
                }
                break;
            }
        }
    }
    // The language is a class of its own, after or before a word of the highlighter.
    const BEFORE: [&str; 5] = ["sourceCode", "hljs", "brush", "programlisting", "prettyprint"];
    let mut before = words().skip_while(|word| !BEFORE.contains(word)).skip(1);
    if let Some(name) =
        before.find(|word| !word.contains("line") && !word.starts_with("hljs") && *word != "prettyprinted")
    {
        return Some(name);
    }
    // Rouge says "highlight" first, highlight.js "hljs" last; other words beside them are no languages.
    if words().any(|word| matches!(word, "highlight" | "hljs"))
        && let Some(name) = words().find(|word| BARE.contains(word.to_ascii_lowercase().as_str()))
    {
        return Some(name);
    }
    if words().any(|word| word == "rust-example-rendered") || words().eq(["rust"]) {
        return Some("rust");
    }
    None
}

/// The language of a `pre` or `code` whose only class is its name, as GeSHi and the plugins of blogs write it, or that has
/// it as its `lang`, as WP-Syntax does.
///
/// Elsewhere the same words mean other things: Pygments calls comments `c` and output `go`.
pub fn bare_language(attributes: &Attributes) -> Option<String> {
    [attributes.class, attributes.spoken]
        .map(|said| said.trim().to_ascii_lowercase())
        .into_iter()
        .find(|said| BARE.contains(said.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Attributes, Role, bare_language, is_gutter, language, role};

    fn class(class: &str) -> Attributes<'_> {
        Attributes { class, ..Attributes::default() }
    }

    #[test]
    fn languages_of_highlighters() {
        let cases = [
            ("highlight-python3 notranslate", Some("python")),
            ("highlight-default notranslate", None),
            ("language-jsx codeBlockContainer_mQmQ theme-code-block", Some("jsx")),
            ("lang-py s-code-block", Some("py")),
            ("hljs cpp", Some("cpp")),
            ("hljs language-cpp", Some("cpp")),
            ("sourceCode haskell", Some("haskell")),
            ("brush: java; gutter: false", Some("java")),
            ("highlight highlight-source-shell", Some("shell")),
            ("src src-emacs-lisp", Some("emacs-lisp")),
            ("rust rust-example-rendered", Some("rust")),
            ("mw-highlight mw-highlight-lang-c mw-content-ltr", Some("c")),
            ("highlight hl-ipython3", Some("python")),
            ("highlight tsx", Some("tsx")),
            ("highlight wide", None),
            ("javascript hljs", Some("javascript")),
            ("language-text", None),
            ("highlight", None),
            ("", None),
        ];
        for (given, wanted) in cases {
            assert_eq!(language(&class(given)).as_deref(), wanted, "{given}");
        }
    }

    #[test]
    fn a_language_alone_on_code() {
        assert_eq!(bare_language(&class("XML ")).as_deref(), Some("xml"));
        assert_eq!(bare_language(&class("xml line")), None);
        assert_eq!(bare_language(&class("text")), None);
        let spoken = |spoken| Attributes { spoken, class: "wide", ..Attributes::default() };
        assert_eq!(bare_language(&spoken("PHP")).as_deref(), Some("php"));
        assert_eq!(bare_language(&spoken("en")), None);
    }

    #[test]
    fn furniture_content_and_gutters() {
        assert_eq!(role("div", &class("sphinxsidebar"), false, true), Role::Furniture);
        assert_eq!(role("div", &class("sphinxsidebar"), false, false), Role::Plain);
        assert_eq!(role("body", &class("nav"), false, true), Role::Plain);
        assert_eq!(role("div", &class("body"), false, true), Role::Content);
        assert_eq!(role("header", &class(""), true, true), Role::Plain);
        assert!(is_gutter("td", &class("linenos")));
        assert!(!is_gutter("pre", &class("line-numbers language-js")));
    }
}
