//! What an `@` stands in: e-mail addresses, and credentials in URLs.

use super::Kind;
use super::bytes::Scan;
use super::{home, names, values};

/// Generic top-level domains in use; of two letters, every country's. Words that are also file endings or methods are
/// left to the rule that nothing may be called or indexed behind an address.
const GENERIC: &str = " com org net edu gov mil int info biz name pro museum aero coop jobs mobi travel tel asia cat \
io ai app dev xyz online site tech store blog cloud email live club top wiki page link news design digital world today \
agency studio space website software systems solutions team group company network ninja rocks science academy berlin \
london paris nyc tokyo amsterdam wien koeln hamburg scot wales bzh eus gal swiss global foundation engineering codes \
computer consulting health media social zone works tools gmbh shop bio eco technology services support community art ";
const COUNTRIES: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs \
bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm \
fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp \
ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv \
mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc \
sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz \
va vc ve vg vi vn vu wf ws ye yt za zm zw ";
/// Domains set aside for examples (RFC 2606, 6761), and names that are used as if they were.
const EXAMPLES: &str = " example.com example.org example.net example.edu domain.com domain.tld yourdomain.com \
mydomain.com yourcompany.com company.com email.com test.com foo.com bar.com foo.bar foobar.com host.com site.com \
somewhere.com somewhere.net spam.com acme.com b.com c.com x.com y.com a.com b.c sample.com localhost.com address.com ";
const NOBODY: &str = " git hg svn noreply no-reply ";

pub(super) fn find(scan: &mut Scan<'_, '_>, at: usize) {
    if !in_url(scan, at) {
        address(scan, at);
    }
}

fn address(scan: &mut Scan<'_, '_>, at: usize) {
    let local_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    let mut start = scan.run_before(at, 65, local_byte);
    if at - start > 64 {
        return;
    }
    if start > 0 && scan.text[start - 1] == b'\\' && matches!(scan.at(start), b'n' | b't' | b'r') {
        start += 1; // an escape, not the first letter
    }
    while start < at && matches!(scan.text[start], b'.' | b'-' | b'+' | b'%') {
        start += 1;
    }
    let end = domain(scan, at + 1);
    if start >= at
        || end == 0
        || matches!(scan.before(at), b'.')
        || matches!(scan.before(start), b'@' | b'/' | b'$')
    {
        return;
    }
    let local = scan.string[start..at].to_ascii_lowercase();
    if NOBODY.contains(&format!(" {local} ")) || !local.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return;
    }
    scan.push(start, end, Kind::Email, "email");
    names::beside_address(scan, start, end);
}

/// The end of a real domain that begins at `start`; 0 if there is none.
fn domain(scan: &Scan<'_, '_>, start: usize) -> usize {
    let mut end = scan.run_of(start, 254, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    while end > start && matches!(scan.text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let whole = &scan.string[start..end];
    let name = whole.to_ascii_lowercase();
    let Some((host, top)) = name.rsplit_once('.') else { return 0 };
    let label = host.rsplit('.').next().unwrap_or("");
    let known = GENERIC.contains(&format!(" {top} ")) || COUNTRIES.contains(&format!(" {top} "));
    let labels = name.split('.').all(|l| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-'));
    // `left@right.to(…)` is a product of matrices, and so is `a@b.id`.
    let code =
        matches!(scan.at(end), b'(' | b'[' | b'_' | b'=' | b'@') || (top.len() == 2 && label.len() < 2);
    if !known || !labels || code || example(&name) || !top.bytes().all(|b| b.is_ascii_alphabetic()) {
        return 0;
    }
    end
}

fn example(domain: &str) -> bool {
    let mut rest = domain;
    loop {
        if EXAMPLES.contains(&format!(" {rest} ")) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, parent)) => rest = parent,
            None => return false,
        }
    }
}

/// `scheme://user:password@host`: true if the `@` belongs to a URL, whatever was found in it.
fn in_url(scan: &mut Scan<'_, '_>, at: usize) -> bool {
    let inside = |b: u8| {
        !b.is_ascii_whitespace() && !matches!(b, b'/' | b'"' | b'\'' | b'@' | b'<' | b'`' | b'\\' | b',')
    };
    let start = scan.run_before(at, 256, inside);
    if start < 3 || &scan.text[start - 2..start] != b"//" || scan.text[start - 3] != b':' {
        return false;
    }
    let next = scan.at(at + 1);
    if !next.is_ascii_alphanumeric() && !matches!(next, b'[' | b'$' | b'{' | b'%' | b'<') {
        return false;
    }
    let (user, password) = match memchr::memchr(b':', &scan.text[start..at]) {
        Some(n) => ((start, start + n), (start + n + 1, at)),
        None => ((start, at), (at, at)),
    };
    let name = &scan.string[user.0..user.1];
    let plain = |text: &str| !text.contains(['$', '{', '}', '<', '>', '(', ')', '*', '[', ']', '?', '#']);
    let secret = &scan.string[password.0..password.1];
    if !secret.is_empty() {
        if plain(secret) && values::in_url(secret) {
            scan.push(password.0, password.1, Kind::Password, "url");
        }
        let account = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if plain(secret) && account && name.len() > 2 && home::someone(name) {
            scan.push(user.0, user.1, Kind::User, "url");
        }
    } else if secret.is_empty() && plain(name) && name.len() > 2 && home::someone(name) {
        let kind = if values::token(name) { Kind::Password } else { Kind::User };
        scan.push(user.0, user.1, kind, "url");
    }
    true
}
