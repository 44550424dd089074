//! The words of notices, and their weight.
//!
//! One automaton finds them all in one pass. A sentence of [`DECISIVE`] weight is a notice; one of [`WEAK`] weight is
//! part of the notice beside it; what weighs less is not counted. Whether the rest of the sentence agrees, [`super::words`]
//! says.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::sync::LazyLock;

/// Weight of a notice.
pub const DECISIVE: u32 = 3;
/// Weight of what belongs to a notice next to it.
pub const WEAK: u32 = 2;

/// Found in notices, and at the beginning of documentation too: see `tells` in [`super::sentences`].
const ELSEWHERE: &[&str] = &[
    "permission is granted",
    "you may obtain a copy",
    "this file is part of",
    "this program is part of",
    "this software is part of",
    "without any warranty",
    "implied warranties",
    "implied warranty",
    "in no event shall",
    "as a special exception",
];

/// Found in notices only.
const THREE: &[&str] = &[
    // grants
    "permission is hereby granted",
    "permission to use, copy",
    "permission to copy",
    "unlimited permission to copy",
    "redistribution and use",
    "redistributions of source code",
    "redistributions in binary form",
    "neither the name of",
    "redistribute it and/or",
    "redistribute and/or modify",
    "you may not use this file",
    "use of this source code is governed",
    "this code is governed by",
    "governed by a bsd",
    "governed by the apache",
    "governed by an mit",
    "licensed under",
    "licensed to the apache",
    "licensed to you under",
    "licensed to the .net",
    "licensed materials",
    "licenses this file",
    "license this file",
    "dual licensed",
    "dual-licensed",
    "multiple-licensed",
    "licensed mit",
    "released under the",
    "distributed under the terms",
    "under the terms of the",
    "terms and conditions of the license",
    "under the same terms as perl",
    "same license as",
    "same licence as",
    "same terms as",
    "may be used and distributed according to",
    "free to use, modify",
    "part of the r package",
    "authors of this software are",
    "blob/master/license",
    "blob/main/license",
    "whatever you want with",
    "sublicense, and/or",
    "may use this file under",
    "contents of this file are subject to",
    "source code form is subject to",
    "this file is subject to",
    "this source file is subject to",
    "notice of license",
    "the origin of this software must not be",
    "the origin of this source code must not be",
    "if you use this software in a product",
    "altered source versions must be",
    "altered versions must be plainly marked",
    "this notice may not be removed",
    "this copyright notice may not be removed",
    "you must not remove this notice",
    "this file may not be copied, modified",
    "this notice may not be copied, modified",
    "which accompanies this distribution",
    "available through the world-wide-web",
    "if you did not receive a copy",
    "begin license block",
    "end license block",
    "cddl header start",
    "cddl header end",
    "when distributing covered",
    "if applicable, add the following below",
    "the beer-ware license",
    "as long as you retain this notice",
    "if we meet some day",
    "buy me a beer",
    "do what the fuck you want",
    "terms and conditions for copying",
    "end user license agreement",
    "commercial license usage",
    "licensees holding valid",
    "all information contained herein",
    "notice: all information contained herein",
    "intellectual and technical concepts contained",
    "dissemination of this information",
    "herein are proprietary to",
    "forbidden unless prior written permission",
    "and the accompanying materials",
    "governing permissions and",
    "specific language governing",
    "put into the public domain",
    "in the public domain",
    "placed in the public domain",
    "released into the public domain",
    "freely distributable",
    "proprietary and confidential",
    "the original code is",
    "the original code was developed",
    "the original code was created by",
    "the initial developer of the original code",
    // rights and warranties
    "all rights reserved",
    "rights reserved.",
    "without warranty of any kind",
    "without warranties or conditions",
    "as is\" basis",
    "on an *as is* basis",
    "provided \"as is\"",
    "provided ``as is''",
    "is provided 'as-is'",
    "provided \"as-is\"",
    "absolutely no warranty",
    "disclaims all warranties",
    "disclaimer of all warranties",
    "no warranty, express",
    "express or implied",
    "merchantability",
    "fitness for a particular",
    "be liable for any",
    "possibility of such damage",
    "consequential damages",
    "substitute goods or services",
    "theory of liability",
    "arising in any way out",
    "unless required by applicable law",
    "above copyright notice",
    "copyright notice and this permission",
    "you should have received a copy",
    "write to the free software",
    "see the copyright notice",
    "see copyright notice",
    "reserves all rights",
    "unpublished work",
    "do not alter or remove copyright",
    "copies or substantial portions",
    "no responsibilities for this software",
    "executable to be covered",
    "used to endorse or promote",
    "other dealings in",
    "tort or otherwise",
    "copyright holders of this library give",
    // other tongues
    "tous droits réservés",
    "alle rechte vorbehalten",
    "todos los derechos reservados",
    "todos os direitos reservados",
    "tutti i diritti riservati",
    "все права защищены",
    "Все права защищены",
    "авторские права",
    "Авторские права",
    "Лицензия",
    "лицензии",
    "版权所有",
    "版權所有",
    "著作权",
    "著作權",
    "许可证",
    "許可證",
    "保留所有权利",
    "無断転載",
    "ライセンス",
    "저작권",
    "라이선스",
];

/// Names of licences. They tell as much, but a sentence that begins with one need not be a notice.
const NAMES: &[&str] = &[
    "spdx-license-identifier",
    "spdx-filecopyrighttext",
    "general public license",
    "general public licence",
    "gnu gpl",
    "apache license",
    "apache-2.0",
    "mit license",
    "mit-license",
    "mit licence",
    "bsd license",
    "bsd-style license",
    "bsd 3-clause",
    "bsd 2-clause",
    "bsd-3-clause",
    "3-clause bsd",
    "2-clause bsd",
    "mozilla public",
    "eclipse public",
    "boost software license",
    "creative commons attribution",
    "isc license",
    "unlicense.org",
    "wtfpl",
    "gnu affero",
    "microsoft public license",
    "zlib license",
    "artistic license",
    "eupl",
    "cecill",
    "code of the cddl",
    "common development and distribution license",
    "ecl-2.0",
    "lgpl",
    "agplv3",
    "public license version",
    "public license, version",
    "released under mit",
    "license mit",
    "license: mit",
    "license: bsd",
    "license: apache",
    "license: gpl",
];

/// Found beside notices.
const TWO: &[&str] = &[
    "is part of the",
    "is subject to the terms",
    "is free software",
    "this code is free software",
    "this library is free",
    "this program is free",
    "this is free software",
    "is distributed in the hope",
    "distributed under",
    "released under",
    "more details",
    "copyrightbegin",
    "copyrightend",
    "qt_begin_license",
    "qt_end_license",
    "/copyright'",
    "through the world-wide-web",
    "acknowledgment in the product documentation",
    "documentation would be appreciated",
    "misrepresented as being the original",
    "claim that you wrote the original",
    "except according to those terms",
    "and its suppliers",
    "portions of this",
    "see the license",
    "see license",
    "license file",
    "licence file",
    "file license",
    "license.txt",
    "license.md",
    "license.html",
    "license.terms",
    "file copying",
    "copying file",
    "copyright.txt",
    "copyright.md",
    "the copyright",
    "copyright notice",
    "license information",
    "license agreement",
    "license agreements",
    "licensing information",
    "license details",
    "http://www.gnu.org",
    "https://www.gnu.org",
    "gnu.org/licenses",
    "apache.org/licenses",
    "opensource.org/licenses",
    "creativecommons.org",
    "mozilla.org/mpl",
    "license-2.0",
    "temple place",
    "franklin st",
    "mass ave",
    "cambridge, ma",
    "boston, ma",
    "02110-1301",
    "02111-1307",
    "02139",
    "with or without fee",
    "terms of your choice",
    "provided that the",
    "accompanying file",
    "accompanying copying",
    "free software foundation",
    "or (at your option)",
    "at your option",
    "any later version",
    "published by the free",
    "version 2 of the license",
    "version 3 of the license",
    "list of conditions",
    "following disclaimer",
    "noninfringement",
    "non-infringement",
    "negligence or other",
    "liability",
    "for any purpose",
    "without restriction",
    "special, exemplary",
    "procurement of",
    "either express",
    "loss of use",
    "prior written permission",
    "compliance with the",
    "license may be",
    "license for",
    "the license.",
    "of the license",
    "under the license",
    "of this license",
    "under either license",
    "either of these licenses",
    "redistribution of",
    "subject to the following",
    "following conditions",
    "rights and limitations",
    "intellectual property",
    "patents file",
    "see the authors",
    "authors file",
    "file authors",
    "copyright holder",
    "copyright owner",
    "public domain",
    "no warranty",
    "warranty",
    "software is furnished",
    "applies to this file",
    "exception statement",
    "bsd terms",
    "bsd3",
    "with vim is allowed",
    "public license",
    "public licence",
    "same as vim",
    "vim license",
    "permitted provided",
    "is preserved",
    "copies of the software",
    "as is",
    "disclaimed",
    "licensed as",
    "license is",
    "licenses",
    "the gpl",
    "under gpl",
    "under mit",
    "under bsd",
    "your version of this file",
];

/// As a DFA: made of so many phrases it would be an NFA otherwise, which takes twice as long.
static PHRASES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(ELSEWHERE.iter().chain(THREE).chain(NAMES).chain(TWO))
        .expect("a few hundred short phrases")
});

/// A phrase in a sentence.
pub struct Found {
    /// Its weight.
    pub weight: u32,
    /// A sentence that begins with it is a notice; else it is the name of a licence, or weak.
    pub opens: bool,
    /// Documentation can begin with it too.
    pub elsewhere: bool,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Phrases of a sentence, in order, none within another.
///
/// A phrase is found as words: "eupl" is not in "fileUpload", nor "as is" in "has issues".
pub fn find(sentence: &str) -> Vec<Found> {
    let whole = |from: usize, to: usize| {
        let inside = |a: Option<char>, b: Option<char>| {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            word(a) && word(b)
        };
        !inside(sentence[..from].chars().next_back(), sentence[from..].chars().next())
            && !inside(sentence[..to].chars().next_back(), sentence[to..].chars().next())
    };
    let mut found: Vec<Found> = PHRASES
        .find_overlapping_iter(sentence)
        .filter(|found| whole(found.start(), found.end()))
        .map(|found| {
            let number = found.pattern().as_usize();
            let opening = ELSEWHERE.len() + THREE.len();
            let weight = if number < opening + NAMES.len() { DECISIVE } else { WEAK };
            Found {
                weight,
                opens: number < opening,
                elsewhere: number < ELSEWHERE.len(),
                start: found.start(),
                end: found.end(),
            }
        })
        .collect();
    found.sort_unstable_by_key(|found| (found.start, usize::MAX - found.end));
    let mut reached = 0;
    found.retain(|found| {
        let apart = found.start >= reached;
        reached = if apart { found.end } else { reached };
        apart
    });
    found
}

/// The two things every notice has one of, so that a head without them need not be read.
static WORTH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "copyright",
            "licen",
            "(c)",
            "©",
            "rights",
            "spdx",
            "domain",
            "warrant",
            "permission",
            "copyleft",
            "part of",
            "droits",
            "rechte",
            "derechos",
            "direitos",
            "diritti",
            "рав",
            "ицензи",
            "版",
            "著",
            "许",
            "許",
            "無断",
            "ライセンス",
            "저작",
            "라이",
        ])
        .expect("a few words")
});

/// Whether `head` can hold a notice at all.
pub fn any(head: &str) -> bool {
    WORTH.is_match(head)
}
