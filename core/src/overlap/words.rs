//! The words of a text: runs of letters, digits and `_`, in lower case. Everything else only separates them.
//!
//! Characters outside ASCII are letters, and keep their case.

/// Lower-case byte of each byte of a word; 0 for what separates words.
static LOWER: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80 {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

const SEED: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01B3;

/// The hash of a word. From: FNV-1a.
pub fn hash(word: &[u8]) -> u64 {
    word.iter().fold(SEED, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(PRIME))
}

/// The hash of each word, in order.
pub fn words(text: &str, out: &mut Vec<u64>) {
    out.clear();
    let mut hash = SEED;
    for &byte in text.as_bytes() {
        let lower = LOWER[usize::from(byte)];
        if lower != 0 {
            hash = (hash ^ u64::from(lower)).wrapping_mul(PRIME);
        } else if hash != SEED {
            out.push(super::mixed(hash));
            hash = SEED;
        }
    }
    if hash != SEED {
        out.push(super::mixed(hash));
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    fn of(text: &str) -> Vec<u64> {
        let mut out = vec![7];
        words(text, &mut out);
        out
    }

    #[test]
    fn punctuation_case_and_line_breaks_do_not_count() {
        assert_eq!(of("Find the n-th\n# Prime."), of("  find THE n th prime"));
        assert_ne!(of("n_th"), of("n th"));
        assert_eq!(of("").len() + of(" -\n").len(), 0);
    }
}
