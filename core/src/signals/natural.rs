//! Which natural language a text is written in, as far as signals need to know.

use std::sync::LazyLock;

/// A natural language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Natural {
    /// English, and whatever is not told apart.
    En,
    /// Chinese: words are cut by a dictionary.
    Zh,
    /// Japanese: words are cut by the same rule as English, so a run of kana and kanji is one.
    Ja,
}

/// How much of a text is looked at to decide its language, in characters.
const LOOKED_AT: usize = 20_000;

impl Natural {
    /// By script: kana are Japanese, else three Han characters in ten letters are Chinese, else English.
    ///
    /// Not covered: other languages, which the signals treat as English too.
    pub fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self::En;
        }
        let (mut letters, mut han, mut kana) = (0, 0, 0);
        for c in text.chars().take(LOOKED_AT).filter(|c| c.is_alphabetic()) {
            letters += 1;
            match c as u32 {
                0x3040..=0x30FF => kana += 1,
                0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF => han += 1,
                _ => {}
            }
        }
        match () {
            () if (han + kana) * 10 < letters * 3 || letters == 0 => Self::En,
            () if kana * 10 >= han + kana => Self::Ja,
            () => Self::Zh,
        }
    }

    /// Its ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
            Self::Ja => "ja",
        }
    }

    /// The language of an ISO 639-1 code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::En, Self::Zh, Self::Ja].into_iter().find(|natural| natural.code() == code)
    }

    /// What cuts its lines into words, where spaces do not.
    pub(super) fn segmenter(self) -> Option<fn(&str) -> Vec<&str>> {
        (self == Self::Zh).then_some(chinese as fn(&str) -> Vec<&str>)
    }
}

static JIEBA: LazyLock<jieba_rs::Jieba> = LazyLock::new(jieba_rs::Jieba::new);

/// Words of Chinese text by the crate `jieba-rs` with its own dictionary, in its default mode.
fn chinese(text: &str) -> Vec<&str> {
    JIEBA.cut(text, true).into_iter().map(|token| token.word).collect()
}

#[cfg(test)]
mod tests {
    use super::Natural;

    #[test]
    fn script_decides() {
        assert_eq!(Natural::of("# Readme\nplain — text"), Natural::En);
        assert_eq!(Natural::of("这是一个测试 project"), Natural::Zh);
        assert_eq!(Natural::of("これはテストです"), Natural::Ja);
        assert_eq!(Natural::of("mostly English with one 字"), Natural::En);
        assert_eq!(Natural::of(""), Natural::En);
    }
}
