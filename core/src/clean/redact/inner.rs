//! Keys whose mark stands in their middle, where no anchor of the table can be: looked at from a rare byte of theirs.

use super::bytes::{Scan, WORD};
use super::finding::Kind;

fn base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Telegram's tokens of bots, `123456789:AA…`: a number, and 35 characters.
pub(super) fn telegram(scan: &mut Scan<'_, '_>, colon: usize) {
    if scan.at(colon + 1) != b'A' || scan.at(colon + 2) != b'A' {
        return;
    }
    let start = scan.run_before(colon, 11, |b| b.is_ascii_digit());
    let end = scan.run_of(colon + 1, 36, base64url);
    if (8..=10).contains(&(colon - start))
        && end == colon + 36
        && (!WORD[scan.before(start) as usize] || scan.line_before(start, 4) == b"/bot")
    {
        key(scan, start, end, "telegram-bot-token");
    }
}

/// Mailchimp's API keys, `…-us12`: 32 hexadecimal digits and a data centre.
pub(super) fn mailchimp(scan: &mut Scan<'_, '_>, hyphen: usize) {
    if scan.at(hyphen + 1) != b'u' || scan.at(hyphen + 2) != b's' {
        return;
    }
    let start = scan.run_before(hyphen, 33, |b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let end = scan.run_of(hyphen + 3, 3, |b| b.is_ascii_digit());
    if hyphen - start == 32 && (1..=2).contains(&(end - hyphen - 3)) && !WORD[scan.at(end) as usize] {
        key(scan, start, end, "mailchimp-api-key");
    }
}

/// Discord's tokens of bots: the account's number in base64, a time of 6 characters, a signature.
pub(super) fn discord(scan: &mut Scan<'_, '_>, dot: usize) {
    if scan.at(dot + 7) != b'.' {
        return;
    }
    let start = scan.run_before(dot, 29, base64url);
    let (middle, end) = (scan.run_of(dot + 1, 7, base64url), scan.run_of(dot + 8, 41, base64url));
    if (23..=28).contains(&(dot - start))
        && middle == dot + 7
        && (27..=40).contains(&(end - dot - 8))
        && matches!(scan.text[start], b'M' | b'N' | b'O')
    {
        key(scan, start, end, "discord-bot-token");
    }
}

/// Secrets of applications of Microsoft Entra: three characters, a digit, `Q~`, 31 to 34 more.
pub(super) fn entra(scan: &mut Scan<'_, '_>, tilde: usize) {
    if scan.before(tilde) != b'Q' || tilde < 5 || !scan.text[tilde - 2].is_ascii_digit() {
        return;
    }
    let of_key = |b: u8| base64url(b) || matches!(b, b'.' | b'~');
    let (start, end) = (tilde - 5, scan.run_of(tilde + 1, 35, of_key));
    if scan.text[start..tilde].iter().all(|b| of_key(*b))
        && (31..=34).contains(&(end - tilde - 1))
        && !of_key(scan.before(start))
    {
        key(scan, start, end, "entra-client-secret");
    }
}

/// Incoming webhooks of servers of one's own: Mattermost's `/hooks/` and 26 characters, Rocket.Chat's number and token.
pub(super) fn hooks(scan: &mut Scan<'_, '_>, end: usize) {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    let first = scan.run_of(end, 27, plain);
    let text = &scan.text[end..first];
    let next = scan.run_of(first + 1, 65, plain);
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    let mattermost = first - end == 26 && digits > 2 && !text.iter().any(u8::is_ascii_uppercase);
    let rocket =
        matches!(first - end, 17 | 24) && scan.at(first) == b'/' && (40..=64).contains(&(next - first - 1));
    let to = if rocket { next } else { first };
    if (mattermost || rocket) && !WORD[scan.at(to) as usize] {
        key(scan, end, to, "chat-webhook");
    }
}

fn key(scan: &mut Scan<'_, '_>, start: usize, end: usize, name: &'static str) {
    if super::formats::real(&scan.text[start..end]) {
        scan.push(start, end, Kind::Key, name);
    }
}
