//! Plans of telephone numbers: how long they are by country, and which are of fiction.

/// Country codes, and how many digits follow them at least and at most (ITU-T E.164 and the national plans, without
/// what is short or only for machines). A code stands for all that begin so and are not listed.
const COUNTRIES: &[(&str, usize, usize)] = &[
    ("1", 10, 10),
    ("7", 10, 10),
    ("20", 8, 10),
    ("27", 9, 9),
    ("30", 10, 10),
    ("31", 9, 9),
    ("32", 8, 9),
    ("33", 9, 9),
    ("34", 9, 9),
    ("36", 8, 9),
    ("39", 8, 11),
    ("40", 9, 9),
    ("41", 9, 9),
    ("43", 8, 12),
    ("44", 9, 10),
    ("45", 8, 8),
    ("46", 7, 10),
    ("47", 8, 8),
    ("48", 9, 9),
    ("49", 7, 12),
    ("51", 8, 9),
    ("52", 10, 11),
    ("53", 8, 8),
    ("54", 10, 11),
    ("55", 10, 11),
    ("56", 8, 9),
    ("57", 8, 10),
    ("58", 10, 10),
    ("60", 8, 10),
    ("61", 9, 9),
    ("62", 8, 12),
    ("63", 8, 10),
    ("64", 8, 10),
    ("65", 8, 8),
    ("66", 8, 9),
    ("81", 9, 10),
    ("82", 8, 11),
    ("84", 9, 10),
    ("86", 9, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("92", 9, 10),
    ("93", 9, 9),
    ("94", 9, 9),
    ("95", 7, 10),
    ("98", 10, 10),
    ("211", 9, 9),
    ("212", 9, 9),
    ("213", 8, 9),
    ("216", 8, 8),
    ("218", 8, 9),
    ("22", 7, 9),
    ("23", 7, 10),
    ("24", 6, 9),
    ("25", 6, 10),
    ("26", 7, 10),
    ("290", 5, 5),
    ("291", 7, 7),
    ("297", 7, 7),
    ("298", 6, 6),
    ("299", 6, 6),
    ("350", 8, 8),
    ("351", 9, 9),
    ("352", 6, 11),
    ("353", 7, 10),
    ("354", 7, 9),
    ("355", 8, 9),
    ("356", 8, 8),
    ("357", 8, 8),
    ("358", 6, 12),
    ("359", 7, 9),
    ("370", 8, 8),
    ("371", 8, 8),
    ("372", 7, 8),
    ("373", 8, 8),
    ("374", 8, 8),
    ("375", 9, 9),
    ("376", 6, 9),
    ("377", 8, 9),
    ("378", 6, 10),
    ("380", 9, 9),
    ("381", 8, 9),
    ("382", 8, 8),
    ("383", 8, 8),
    ("385", 8, 9),
    ("386", 8, 8),
    ("387", 8, 8),
    ("389", 8, 8),
    ("420", 9, 9),
    ("421", 9, 9),
    ("423", 7, 9),
    ("50", 7, 8),
    ("59", 7, 9),
    ("67", 5, 8),
    ("68", 5, 7),
    ("69", 7, 7),
    ("800", 8, 8),
    ("850", 8, 10),
    ("852", 8, 8),
    ("853", 8, 8),
    ("855", 8, 9),
    ("856", 8, 10),
    ("870", 9, 9),
    ("880", 8, 10),
    ("886", 8, 9),
    ("960", 7, 7),
    ("961", 7, 8),
    ("962", 8, 9),
    ("963", 8, 9),
    ("964", 8, 10),
    ("965", 8, 8),
    ("966", 9, 9),
    ("967", 7, 9),
    ("968", 8, 8),
    ("970", 8, 9),
    ("971", 8, 9),
    ("972", 8, 9),
    ("973", 8, 8),
    ("974", 8, 8),
    ("975", 7, 8),
    ("976", 8, 8),
    ("977", 8, 10),
    ("992", 9, 9),
    ("993", 8, 8),
    ("994", 9, 9),
    ("995", 9, 9),
    ("996", 9, 9),
    ("998", 9, 9),
];
/// Set aside for films and manuals: by Ofcom, ACMA, ARCEP, the Bundesnetzagentur, PTS and ComReg, with country codes.
const FICTION: &str = " 442079460 441134960 441144960 441154960 441164960 441174960 441184960 441214960 441314960 441414960 \
441514960 441614960 441914980 442896496 442920180 441632960 447700900 448081570 449098790 443069990 6125550 6127010 6135550 \
6137010 6175550 6177010 6185550 6187010 61491570 3319900 3326191 3335301 3346571 3353649 3363998 493023125 496990009 \
494066969 492214710 498999998 46313900 46406280 468465004 469803192 353209100 ";

/// Whether a whole number with its country code has a length that the country's have; a trunk zero may be in it.
pub(super) fn whole(digits: &[u8]) -> bool {
    let text: String = digits.iter().map(|d| char::from(d + b'0')).collect();
    let known = COUNTRIES.iter().filter(|c| text.starts_with(c.0)).max_by_key(|c| c.0.len());
    known.is_some_and(|(code, least, most)| {
        let rest = &text[code.len()..];
        let trunk = usize::from(rest.starts_with('0') && !matches!(*code, "39" | "22" | "24"));
        (*least..=*most).contains(&(rest.len() - trunk))
            && !(*code == "1" && matches!(rest.as_bytes()[0], b'0' | b'1'))
    })
}

/// Whether a number is of fiction, written with its country code or with the zero of national calls.
pub(super) fn fiction(digits: &[u8]) -> bool {
    let text: String = digits.iter().map(|d| char::from(d + b'0')).collect();
    let american = text.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&text);
    if american.len() == 10 && american.starts_with("555") || text.len() < 12 && text.starts_with("1555") {
        return true;
    }
    FICTION.split_ascii_whitespace().any(|prefix| {
        let (code, rest) = prefix.split_at(if prefix.starts_with("353") { 3 } else { 2 });
        text.starts_with(prefix)
            || text.strip_prefix('0').is_some_and(|national| national.starts_with(rest))
            || text.strip_prefix(code).and_then(|t| t.strip_prefix('0')).is_some_and(|t| t.starts_with(rest))
    })
}
