//! The table of languages, compiled for look-up.

use super::classifier::Classifier;
use super::clues::Clues;
use super::heuristics::{self, Compiled, union};
use super::spec::{Definition, Id, Spec};
use regex::bytes::Regex;
use std::collections::HashMap;

/// Languages that strategies name themselves.
pub(super) struct Special {
    pub xml: Option<Id>,
    pub roff: Vec<Id>,
    pub manpage: Regex,
}

/// The compiled table. Shared by threads; never changes.
pub struct Table {
    languages: Vec<(String, String)>,
    popular: Vec<bool>,
    extensions: HashMap<String, Vec<Id>>,
    longest_extension: usize,
    filenames: HashMap<String, Vec<Id>>,
    interpreters: HashMap<String, Vec<Id>>,
    aliases: HashMap<String, Id>,
    generic: Vec<String>,
    rules: HashMap<String, usize>,
    disambiguations: Vec<Vec<Compiled>>,
    pub(super) vendored: Regex,
    pub(super) generated: Regex,
    pub(super) special: Special,
    pub(super) classifier: Classifier,
    pub(super) clues: Clues,
}

impl Table {
    /// Errors: a pattern that does not compile, a rule that names an unknown language, an extension without its dot,
    /// a broken model; each with the value concerned.
    pub fn new(spec: &Spec) -> Result<Self, String> {
        let mut ids = HashMap::new();
        for (i, language) in spec.languages.iter().enumerate() {
            let id =
                Id::try_from(i).map_err(|_| format!("{} languages are too many", spec.languages.len()))?;
            ids.insert(language.name.as_str(), id);
        }
        let find = |name: &String| {
            ids.get(name.as_str())
                .copied()
                .ok_or_else(|| format!("a rule names the unknown language {name:?}"))
        };
        let index = |field: fn(&Definition) -> &Vec<String>, lower: bool| {
            let mut out: HashMap<String, Vec<Id>> = HashMap::new();
            for language in &spec.languages {
                for value in field(language) {
                    let key = if lower { value.to_ascii_lowercase() } else { value.clone() };
                    let list = out.entry(key).or_default();
                    let id = ids[language.name.as_str()];
                    if !list.contains(&id) {
                        list.push(id);
                    }
                }
            }
            out
        };
        let extensions = index(|d| &d.extensions, true);
        if let Some(bad) = extensions.keys().find(|e| !e.starts_with('.')) {
            return Err(format!("the extension {bad:?} does not begin with a dot"));
        }
        let mut aliases: HashMap<String, Id> = HashMap::new();
        for (alias, owners) in index(|d| &d.aliases, true) {
            aliases.insert(alias, owners[0]);
        }
        let mut rules = HashMap::new();
        let mut disambiguations = Vec::new();
        for (i, group) in spec.disambiguations.iter().enumerate() {
            for extension in &group.extensions {
                if extension.rfind('.') != Some(0) {
                    return Err(format!(
                        "a heuristic's extension must be one dot and a word, not {extension:?}"
                    ));
                }
                // The first group that knows an extension has it, as in Linguist.
                rules.entry(extension.to_ascii_lowercase()).or_insert(i);
            }
            let compiled = group.rules.iter().map(|rule| {
                let languages = rule.languages.iter().map(find).collect::<Result<_, _>>()?;
                Compiled::new(rule, languages)
                    .map_err(|e| format!("{e} (heuristics of {:?})", group.extensions))
            });
            disambiguations.push(compiled.collect::<Result<_, _>>()?);
        }
        let special = Special {
            xml: ids.get("xml").copied(),
            roff: ["roff", "roff manpage"].iter().filter_map(|name| ids.get(name).copied()).collect(),
            manpage: union(&[r"\.(?:[1-9](?:[a-z_][a-z_0-9]*)?|0p|n|man|mdoc)(?:\.in)?$".to_owned()], false)?,
        };
        Ok(Self {
            popular: spec.languages.iter().map(|d| d.popular).collect(),
            languages: spec.languages.iter().map(|d| (d.name.clone(), d.doc_type.clone())).collect(),
            longest_extension: extensions.keys().map(String::len).max().unwrap_or(0),
            extensions,
            filenames: index(|d| &d.filenames, false),
            interpreters: index(|d| &d.interpreters, false),
            aliases,
            generic: spec.generic.clone(),
            rules,
            disambiguations,
            vendored: union(&spec.vendored, false)?,
            generated: union(&spec.generated, false)?,
            special,
            clues: Clues::new(&spec.clues, &spec.unknown, find)?,
            classifier: Classifier::new(&spec.classifier, |name| ids.get(name).copied())?,
        })
    }

    /// The key of a language.
    pub fn name(&self, id: Id) -> &str {
        &self.languages[usize::from(id)].0
    }

    /// The document type of a language.
    pub fn doc_type(&self, id: Id) -> &str {
        &self.languages[usize::from(id)].1
    }

    /// How many languages there are.
    pub fn len(&self) -> usize {
        self.languages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.languages.is_empty()
    }

    pub(super) fn by_alias(&self, alias: &str) -> Option<Id> {
        let lower = alias.to_ascii_lowercase();
        let first = lower.split(',').next().unwrap_or(&lower);
        self.aliases.get(&lower).or_else(|| self.aliases.get(first)).copied()
    }

    pub(super) fn by_filename(&self, name: &str) -> &[Id] {
        self.filenames.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn by_interpreter(&self, name: &str) -> &[Id] {
        self.interpreters.get(name).map_or(&[], Vec::as_slice)
    }

    /// Languages of the longest extension that has any: `.html.erb` before `.erb`. `name` is in lower case.
    pub(super) fn by_extension(&self, name: &str) -> &[Id] {
        let from = name.len().saturating_sub(self.longest_extension);
        for at in memchr::memchr_iter(b'.', &name.as_bytes()[from..]) {
            if let Some(found) = self.extensions.get(&name[from + at..]) {
                return found;
            }
        }
        &[]
    }

    pub(super) fn is_generic(&self, name: &str) -> bool {
        self.generic.iter().any(|e| name.ends_with(e.as_str()))
    }

    /// Languages left by the first rule that holds for the file's extension, if there are rules and one holds.
    pub(super) fn disambiguate(&self, name: &str, data: &[u8]) -> Option<&[Id]> {
        let group = *self.rules.get(&name[name.rfind('.')?..])?;
        let data = &data[..data.len().min(heuristics::CONSIDER)];
        let rule = self.disambiguations[group].iter().find(|rule| rule.holds(data))?;
        Some(&rule.languages)
    }

    /// The candidate on the list of popular languages; else the one the extension of `name` is called after (`jq`
    /// before `jsoniq` for `.jq`); else the first in the order of titles.
    pub(super) fn most_popular(&self, candidates: &[Id], name: &str) -> Id {
        let namesake = name.rsplit('.').next().and_then(|word| self.by_alias(word));
        let popular = candidates.iter().copied().find(|id| self.popular[usize::from(*id)]);
        popular.or(namesake.filter(|id| candidates.contains(id))).unwrap_or(candidates[0])
    }
}
