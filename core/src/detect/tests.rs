//! The order of the strategies, on a table small enough to read.

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn language(name: &str, extensions: &str, filenames: &str, interpreters: &str) -> Definition {
    Definition {
        name: name.into(),
        doc_type: "code".into(),
        extensions: words(extensions),
        filenames: words(filenames),
        interpreters: words(interpreters),
        aliases: vec![name.into()],
        popular: name == "perl",
    }
}

fn rule(languages: &str, when: &[&str], unless: &[&str]) -> Rule {
    Rule {
        languages: words(languages),
        when: when.iter().map(|p| vec![(*p).to_owned()]).collect(),
        unless: unless.iter().map(|p| (*p).to_owned()).collect(),
    }
}

fn spec() -> Spec {
    Spec {
        languages: vec![
            language("erb", ".html.erb", "", ""),
            language("make", ".mk", "Makefile", ""),
            language("perl", ".pl .t", "", "perl"),
            language("prolog", ".pl .raku", "", "swipl"),
            language("raku", ".pl .raku .t", "", "perl"),
            language("roff", ".1", "", ""),
            language("roff manpage", ".1", "", ""),
            language("ruby", ".erb .rb", "", "ruby"),
            language("xml", ".xml", "", ""),
        ],
        disambiguations: vec![
            Disambiguation {
                extensions: words(".pl"),
                rules: vec![rule("prolog", &["^[^#]*:-"], &["no prolog"]), rule("perl raku", &["^my"], &[])],
            },
            Disambiguation { extensions: words(".1"), rules: vec![rule("roff", &[r"^\.\w"], &[])] },
        ],
        vendored: vec!["(^|/)vendor/".into()],
        generated: vec![r"package-lock\.json".into()],
        generic: words(".1"),
        classifier: Vec::new(),
        clues: Vec::new(),
        unknown: Vec::new(),
    }
}

fn found(path: &str, content: &str) -> Option<(String, Strategy)> {
    let table = Table::new(&spec()).unwrap();
    let (id, strategy) = detect(&table, path, Some(content.as_bytes())).language?;
    Some((table.name(id).to_owned(), strategy))
}

#[test]
fn the_first_strategy_that_leaves_one_decides() {
    for (path, content, want) in [
        ("a.rb", "# -*- perl -*-", Some(("perl", Strategy::Modeline))),
        ("a.rb", "# -*- nonesuch -*-", Some(("ruby", Strategy::Extension))),
        ("d/Makefile", "#!/usr/bin/ruby", Some(("make", Strategy::Filename))),
        ("tool", "#!/usr/bin/env swipl", Some(("prolog", Strategy::Shebang))),
        ("tool.rb", "#!/usr/bin/swipl", Some(("prolog", Strategy::Shebang))),
        ("a.HTML.erb", "", Some(("erb", Strategy::Extension))),
        ("a.txt.erb", "", Some(("ruby", Strategy::Extension))),
        ("a.pl", "foo(X) :- bar.", Some(("prolog", Strategy::Heuristics))),
        ("a.pl", "foo(X) :- bar. no prolog", Some(("perl", Strategy::Popular))),
        ("a.pl", "my x", Some(("perl", Strategy::Popular))),
        ("a.conf", "<?xml version='1.0'?>", Some(("xml", Strategy::Xml))),
        ("a.3pm", "x", Some(("roff", Strategy::Popular))),
        ("a.raku", "x", Some(("raku", Strategy::Popular))),
        ("a.1", ".TH", Some(("roff", Strategy::Heuristics))),
        ("a.unknown", "x", None),
        ("", "", None),
    ] {
        let want = want.map(|(name, strategy)| (name.to_owned(), strategy));
        assert_eq!(found(path, content), want, "{path} {content}");
    }
}

#[test]
fn an_interpreter_of_several_languages_narrows_the_extension() {
    // perl and raku share both; prolog is out, and the rule for perl and raku keeps both.
    assert_eq!(found("a.t", "#!/usr/bin/perl"), Some(("perl".into(), Strategy::Popular)));
}

#[test]
fn paths_tell_vendored_and_generated() {
    let table = Table::new(&spec()).unwrap();
    let flags = |path| {
        let d = detect(&table, path, None);
        (d.is_vendored, d.is_generated)
    };
    assert_eq!(flags("src/vendor/a.rb"), (true, false));
    assert_eq!(flags("web/package-lock.json"), (false, true));
    assert_eq!(flags("src/a.rb"), (false, false));
}

#[test]
fn a_wrong_table_is_refused_with_the_value() {
    let refused = |change: fn(&mut Spec)| {
        let mut spec = spec();
        change(&mut spec);
        Table::new(&spec).err().unwrap_or_default()
    };
    assert!(refused(|s| s.vendored.push("(".into())).contains("\"(\""));
    assert!(refused(|s| s.languages[0].extensions.push("erb".into())).contains("\"erb\""));
    assert!(refused(|s| s.disambiguations[0].rules[0].languages.push("cobol".into())).contains("\"cobol\""));
    assert!(refused(|s| s.classifier = vec![1, 2, 3]).contains("classifier"));
}

#[test]
fn the_classifier_chooses_among_candidates_it_knows() {
    let row = |favourite: &str| {
        let mut weights = vec![0i8; BUCKETS];
        for (bucket, _) in features(favourite.as_bytes()) {
            weights[usize::from(bucket)] = 100;
        }
        weights
    };
    let mut model = b"cmtoken1".to_vec();
    model.extend(2u32.to_le_bytes());
    for name in ["perl", "raku"] {
        model.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
        model.extend(name.bytes());
        model.extend(0f32.to_le_bytes());
    }
    model.extend(row("use strict;").iter().map(|w| w.cast_unsigned()));
    model.extend(row("multi grammar").iter().map(|w| w.cast_unsigned()));
    let table = Table::new(&Spec { classifier: model, ..spec() }).unwrap();
    for (text, want) in [("use strict;", "perl"), ("multi grammar", "raku")] {
        let (id, strategy) = detect(&table, "a.t", Some(text.as_bytes())).language.unwrap();
        assert_eq!((table.name(id), strategy), (want, Strategy::Classifier));
    }
}
