//! What the table of languages is made of: data that Python loads.

/// Index of a language in the table, in the order of titles.
pub type Id = u16;

/// One language, as far as detection needs it.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// The key, e.g. `cpp`.
    pub name: String,
    /// `code`, `data` or `text`.
    pub doc_type: String,
    /// With the dot, e.g. `.cpp`.
    pub extensions: Vec<String>,
    /// Exact file names.
    pub filenames: Vec<String>,
    /// Names after `#!`.
    pub interpreters: Vec<String>,
    /// Names in modelines.
    pub aliases: Vec<String>,
    /// Preferred where nothing else decides.
    pub popular: bool,
}

/// A rule of [`Disambiguation`]: all of `when` (any pattern of each list), none of `unless`.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Languages the rule leaves.
    pub languages: Vec<String>,
    /// Lists of patterns; one of each list must match.
    pub when: Vec<Vec<String>>,
    /// Patterns of which none may match.
    pub unless: Vec<String>,
}

/// Rules for files with one of some extensions, in order.
#[derive(Clone, Debug, Default)]
pub struct Disambiguation {
    /// With the dot.
    pub extensions: Vec<String>,
    /// The first that holds decides.
    pub rules: Vec<Rule>,
}

/// What a language looks like where nothing else tells it from others.
#[derive(Clone, Debug, Default)]
pub struct Clue {
    /// Its key.
    pub language: String,
    /// Patterns that hardly any other has.
    pub sure: Vec<String>,
    /// Patterns that it often has.
    pub likely: Vec<String>,
    /// Patterns that it never has.
    pub never: Vec<String>,
}

/// Files that are in none of the languages of their extensions.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    /// With the dot.
    pub extensions: Vec<String>,
    /// Any of them must match.
    pub patterns: Vec<String>,
    /// None of them may.
    pub unless: Vec<String>,
}

/// Everything a table is made of.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// In the order of titles, which is the order of candidates.
    pub languages: Vec<Definition>,
    /// Per group of extensions.
    pub disambiguations: Vec<Disambiguation>,
    /// Per language.
    pub clues: Vec<Clue>,
    /// Per group of extensions.
    pub unknown: Vec<Unknown>,
    /// Path patterns of vendored files.
    pub vendored: Vec<String>,
    /// Path patterns of generated files.
    pub generated: Vec<String>,
    /// Extensions that do not tell a language alone.
    pub generic: Vec<String>,
    /// The classifier's model, or nothing.
    pub classifier: Vec<u8>,
}
