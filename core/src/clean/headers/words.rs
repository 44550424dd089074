//! How much the words of a text are those of licences.
//!
//! A phrase says that a sentence may be a notice; what else the sentence says decides. "Reads the license file of a
//! package" has a phrase of notices and is documentation.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Words that hardly occur but in licences.
const LEGAL: &str = "
agpl agplv3 amended apache applicable arising bsd cddl cecill compliance confidential consequential copyleft copyright
copyrighted copyrights damage damages dealings disclaim disclaimed disclaimer disclaims distributable eclipse endorse epl
eula eupl exemplary fitness foundation furnished gnu governed governing gpl gplv2 gplv3 hereby herein holders implied
incidental indirect infringement isc lgpl lgplv2 lgplv3 liability liable licence licenced licences license licensed licensee
licensees licenses licensing licensor limitation limitations merchantability merchantablity mit mozilla mpl negligence
noninfringement obtaining patent patents permission permissions permit permits permitted profits proprietary procurement
redistribute redistributed redistribution redistributions redistributing relicensed reserved reserves rights spdx subject
sublicense sublicensed tort trademark trademarks trademarked unlicense unpublished warranties warranty wtfpl zlib domain
copying copyrightbegin copyrightend responsibility responsibilities";

/// Those of them that documentation has as well: without another word of licences they tell nothing.
const EVERYDAY: &str = "
applicable arising confidential damage damages domain exemplary fitness foundation incidental indirect limitation
limitations permission permissions permit permits permitted profits reserved reserves responsibilities responsibility rights
subject";

/// Words of licences that other texts have as well: they speak neither for nor against a notice.
const COMMON: &str = "
a about above accompanied accompanying accordance according action additional advised against agree agreed agreement
agreements all along also alter altered alternative alternatively an and any anyone appear appears applies apply are as asf
associated assume at authors author authorized available based basis be been below binary binaries business but by can cases
caused changed changes charge circumstances claim claims code com combination comply conditions connection consent consult
contact contract contained contains content contents contributed contributing contributor contributors copied copies copy
corp corporation countries country data deal derivative derivatives derived described desire details developed developers
development directory distribute distributed distributing distribution do document documentation documents does due each
either entire entity even event except exception exceptions excluded exclusively executable exercise exist express expressly
extent fee fees file files following for form forms found free freely from full general given grant granted grants goods
govern governs group guarantee has have he held her his holder hold home hope how however http https if in inc included
includes including incorporated individual individuals information intellectual interest interruption is issued it its
itself kind language later law laws legal less lesser library libraries like limited link linked linking list llc loss lost
ltd made majority make many march market materials may mere merge met misrepresented modification modifications modified
modify modifying more must name named names necessarily neither net nice no nominal non nor not note notice notices
obligation obtain obtained of on one only open option or org organization original origin other others otherwise our out
output owned owner owners ownership paragraph part particular parties party pay person personal persons place plainly
platforms please portion portions possibility possible prepare present preserve preserved prior private product products
program programs prohibited project projects promote property provide provided provides provision provisions public publicly
published publish publisher purpose purposes reasons received receive recipient refer referenced regarding related released
remain removed reproduce reproduced reproduction required requirement requirements resulting respective restriction
restrictions result retain retained retains right root same scripts section see sell separate served services set shall
should site so software solely some source special specific specify specified stated statement statements strict such suite
support system terms text than that the their them then there these they third this those thereof through to tools top trade
transfer txt under unless university until up upon us use used useful user users using various version versions violation
waive was way we website were where whether which who whom whole whose will why might covered cover level md street floor
suite boston fifth franklin temple ma usa cambridge mass ave authorization obligated delete can opt top team member members
wish with within without work works write writing written www year years you your";

/// With these, documentation begins: it says what the code does.
const DOING: &str = "
add adds adding check checks checking checker collect collects compare compares compute computes convert converts create
creates decide decides detect detects detection determine determines display displays emit emits encode encodes ensure
ensures enumerate enumerates example examples explain explains extract extracts fetch fetches find finds finder fixer fixes
format formats generate generates get gets handle handles helper helpers implement implements insert inserts inspect
inspects iterate iterates list lists load loads look looks match matches model models module name names normalize
normalizes note parse parses parser print prints process processes read reads reader render renders report reports return
returns run runs scan scans scanner search searches show shows store stores test tests todo tool tools update updates usage
utility utilities utils validate validates verify verifies write writes wraps wrapper";

/// What is known of a word, in bits. A word can be several of them.
const IS_LEGAL: u8 = 1;
const IS_COMMON: u8 = 2;
const IS_DOING: u8 = 4;
const IS_DOES: u8 = 8;
const IS_EVERYDAY: u8 = 16;

/// One table for all lists, so that a word is looked up once.
static KNOWN: LazyLock<FxHashMap<&'static [u8], u8>> = LazyLock::new(|| {
    let mut known = FxHashMap::default();
    let lists =
        [(LEGAL, IS_LEGAL), (EVERYDAY, IS_EVERYDAY), (COMMON, IS_COMMON), (DOING, IS_DOING), (DOES, IS_DOES)];
    for (words, bit) in lists {
        for word in words.split_ascii_whitespace() {
            *known.entry(word.as_bytes()).or_insert(0) |= bit;
        }
    }
    known
});

/// What is known of a word, whatever its case.
fn known(word: &[u8]) -> u8 {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else { return 0 };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    KNOWN.get(&*lower).copied().unwrap_or(0)
}

/// How many words of a text are of which kind; common ones and numbers are not counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words {
    /// Of licences.
    pub legal: u32,
    /// How many of these documentation has as well.
    pub everyday: u32,
    /// Of licences, and of everything else.
    pub common: u32,
    /// Of neither.
    pub other: u32,
}

impl Words {
    /// Those of two texts.
    pub fn and(self, more: Self) -> Self {
        Self {
            legal: self.legal + more.legal,
            everyday: self.everyday + more.everyday,
            common: self.common + more.common,
            other: self.other + more.other,
        }
    }

    /// Whether it may be part of a notice: at least one word of licences for `most` others.
    pub fn like(self, most: u32) -> bool {
        self.legal > 0 && self.other <= most * self.legal
    }

    /// Whether a word of licences is in it that documentation hardly has.
    pub fn sure(self) -> bool {
        self.legal > self.everyday
    }

    /// Whether it hardly says anything else.
    pub fn only(self) -> bool {
        self.legal > 0 && (self.other < self.legal || self.passes())
    }

    /// Whether nearly every word occurs in licences.
    pub fn passes(self) -> bool {
        4 * self.other <= self.legal + self.common
    }
}

/// Longest word that is looked up.
const LONGEST: usize = 20;

/// Counts the words of `text`. Of an address only words of licences count, and without them a link is another word;
/// figures behind a word are not looked at.
pub fn count(text: &str) -> Words {
    let mut words = Words::default();
    for token in text.split_whitespace() {
        let link = token.contains("://") || token.starts_with("www.");
        let address = link || token.contains('@');
        let before = words.legal;
        if token.is_ascii() {
            for word in token.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()) {
                add(&mut words, word, address);
            }
        } else {
            for word in token.split(|c: char| !c.is_alphanumeric()) {
                add(&mut words, word.as_bytes(), address);
            }
        }
        words.other += u32::from(link && words.legal == before);
    }
    words
}

/// Counts one word, without the figures behind it.
fn add(words: &mut Words, word: &[u8], address: bool) {
    let end = word.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    let word = &word[..end];
    if word.len() < 2 || word[0].is_ascii_digit() {
        return;
    }
    let known = known(word);
    if known & IS_LEGAL != 0 {
        words.legal += 1;
        words.everyday += u32::from(known & IS_EVERYDAY != 0);
    } else if known & IS_COMMON != 0 {
        words.common += 1;
    } else if !address {
        words.other += 1;
    }
}

/// The same in small letters, where a line begins with it: verbs that are no nouns of licences.
const DOES: &str = "
adds checks collects compares computes converts creates decides detects determines emits encodes ensures enumerates exits
explains extracts fetches finds fixes generates gets handles implements inserts inspects iterates looks normalizes parses
prints processes reads renders returns scans searches shows tests usage validates verifies wraps writes";

/// Whether a sentence begins as documentation does that says what the code does: "Reads …", "Tests for …", "returns …".
pub fn tells_what_it_does(sentence: &str) -> bool {
    let first = sentence.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    first.is_some_and(|word| {
        let bit = if word.starts_with(char::is_uppercase) { IS_DOING } else { IS_DOES };
        known(word.as_bytes()) & bit != 0
    })
}

/// One pass for all of them, whatever the case: a search for each took a fifth of the time of all header removal.
static GENERATED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "do not edit",
            "do not modify",
            "not edit this",
            "not modify this",
            "generated by",
            "generated from",
            "@generated",
            "generated file",
            "automatically generated",
            "auto-generated",
            "autogenerated",
            "machine generated",
            "machine-generated",
        ])
        .expect("a few words")
});

/// Whether it says that a program wrote the file, which other rules need to know.
pub fn marks_generated(sentence: &str) -> bool {
    GENERATED.is_match(sentence)
}
