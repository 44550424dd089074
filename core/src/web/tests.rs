use super::page::extract;
use std::time::Instant;

fn text(html: &str) -> String {
    extract(html).text
}

#[test]
fn paragraphs_lists_and_tables() {
    let page = "<html><head><title>T &amp; U</title></head><body><h2>A  b</h2><p>One\n two<br>three</p>\
                <ul><li>x<li>y<ol><li>1</li><li>2</ol></ul>\
                <table><tr><th>a</th><th>b</th></tr><tr><td><p>c</p></td><td>d</td></tr></table>";
    let wanted = "# T & U\n\n## A b\n\nOne two\nthree\n\n- x\n- y\n  1. 1\n  2. 2\n\n| a | b |\n| c | d |";
    assert_eq!(text(page), wanted);
}

#[test]
fn code_is_kept_as_it_stands() {
    let page = "<div class='highlight-python3'><div class='highlight'><pre><span></span><span>def</span> f(a):\n\
                \t  return a &lt;&lt; 1  \n\n\n</pre></div></div>";
    assert_eq!(text(page), "```python\ndef f(a):\n\t  return a << 1  \n\n\n```");
    assert_eq!(text("<pre>\n\n  a</pre>"), "```\n\n  a\n```");
    assert_eq!(text("<pre>a\r\nb</pre>"), "```\na\nb\n```");
    assert_eq!(text("<pre>````</pre>"), "`````\n````\n`````");
    assert_eq!(text("<xmp>a <b>&lt;</xmp>"), "```\na <b>&lt;\n```");
    assert_eq!(
        text("<pre class='lang-html'>1 &lt;\n<xmp><p>2 &lt;</xmp>3</pre>"),
        "```html\n1 <\n<p>2 &lt;3\n```"
    );
}

#[test]
fn line_numbers_and_buttons_are_not_code() {
    let table = "<table class='highlighttable'><tr><td class='linenos'><div class='linenodiv'><pre>1\n2</pre></div></td>\
                 <td class='code'><div class='highlight'><pre>a\nb\n</pre></div></td></tr></table>";
    assert_eq!(text(table), "```\na\nb\n```");
    let doxygen = "<div class='fragment'><div class='line'><span class='lineno'>    1</span>a();</div>\n\
                   <div class='line'><span class='lineno'>    2</span> </div>\n\
                   <div class='line'><span class='lineno'>    3</span>  <b>b</b> c</div>\n</div><p>x";
    assert_eq!(text(doxygen), "```\na();\n\n  b c\n```\n\nx");
    let older = "<div class='fragment'>\n<pre class='fragment'><b>a</b>\n\n<b>b</b>\n</pre></div>";
    assert_eq!(text(older), "```\na\n\nb\n```");
    let docusaurus = "<div class='language-jsx'><pre><code><span class='token-line'>a<br></span>\
                      <span class='token-line'>b<br></span></code></pre><button>Copy</button></div>";
    assert_eq!(text(docusaurus), "```jsx\na\nb\n```");
    let lines = "<pre><code class='hljs c'><div>a</div><div></div><div>b\n</div></code></pre>";
    assert_eq!(text(lines), "```c\na\n\nb\n```");
    // Line ends as HTML counts them: a carriage return is one, and `br` another.
    assert_eq!(text("<pre>a\r<br />b\r\nc\rd</pre>"), "```\na\n\nb\nc\nd\n```");
    // What the code says of itself goes before what is around it.
    let within = "<section class='language-markup'><pre><code class='language-js'>a</code></pre></section>";
    assert_eq!(text(within), "```js\na\n```");
    assert_eq!(text("<pre lang='PHP' line='1'>a</pre>"), "```php\na\n```");
    assert_eq!(
        text("<div lang='en'><pre class='highlight tsx'><code>a</code></pre></div>"),
        "```tsx\na\n```"
    );
}

#[test]
fn furniture_goes() {
    let body = "This is what the page says, in enough words that they are taken to be its content and nothing else \
                is, because a few words could be anything at all, and these are more than a few.";
    let page = format!(
        "<body><header>Logo</header><div class='sidebar'><a>x</a></div><main><p>{body}</p></main>\
         <p>Cookies!</p><footer>(c)</footer></body>"
    );
    assert_eq!(text(&page), body);
    assert_eq!(text("<div class='sidebar'>all there is</div>"), "");
    // What stands before the first section of AsciiDoc's pages is content as well.
    let sections = format!("<div id='preamble'><pre>a</pre></div><div class='sect1'><p>{body}</p></div>");
    assert_eq!(text(&sections), format!("```\na\n```\n\n{body}"));
}

#[test]
fn furniture_leaves_nothing_behind() {
    let cases = [
        ("<h2 class='sr-only'>Menu</h2><p>a</p><p>b</p>", "a\n\nb"),
        ("<ul class='nav'><li>Home</li></ul><ul><li>a</li></ul>", "- a"),
        ("<ul><li hidden>x</li></ul><p>a</p>", "a"),
        ("<ol><li hidden>x</li><li>a</li></ol>", "1. a"),
        ("<ul><li><nav>x</nav></li></ul><p>a</p>", "a"),
        ("<p>a <kbd class='sr-only'>x</kbd> b</p>", "a b"),
        ("<p>a <code><span hidden>x</span></code> b</p>", "a b"),
        ("<ul><li><code><span hidden>x</span></code></li></ul><p>a</p>", "a"),
        ("<p><code>a`</code> b</p>", "`a`` b"),
        ("<table><tr><td hidden>x</td><td>a</td></tr></table>", "a"),
    ];
    for (given, wanted) in cases {
        assert_eq!(text(given), wanted, "{given}");
    }
}

#[test]
fn time_is_linear() {
    let deep = "<div class='a'>".repeat(400_000);
    let odd = "<b>".repeat(300_000) + &"</i>".repeat(300_000) + &"<p>x".repeat(200_000);
    let broken = "<pre><table><tr><td>".repeat(150_000) + "x";
    let script = "<script></scrip".repeat(200_000);
    let ampersands = "&".repeat(3_000_000) + &"&#".repeat(500_000) + &"&amp".repeat(500_000);
    let open = "<a b='".repeat(300_000) + &"<!-".repeat(300_000);
    let item = "<ul><li>".repeat(300_000);
    let words = format!("<div class='{}'>", "a ".repeat(300_000));
    let classes = words.clone() + &"<pre>x</pre>".repeat(10_000);
    let cells = words + &"<td class=code></td>".repeat(100_000);
    for page in [deep, odd, broken, script, ampersands, open, item, classes, cells] {
        let start = Instant::now();
        extract(&page);
        let seconds = start.elapsed().as_secs_f64();
        assert!(seconds < 60.0, "{seconds} s for {} bytes of {}", page.len(), &page[..8]);
    }
}
