//! What an `@` stands in: e-mail addresses, and credentials in URLs.

use super::accounts::someone;
use super::bytes::{Scan, WORD, contains};
use super::finding::Kind;
use super::{names, tokens, values};

/// Generic top-level domains in use; of two letters, every country's. Words that are also file endings or methods are
/// left to the rule that nothing may be called or indexed behind an address.
const GENERIC: &str = " com org net edu gov mil int info biz name pro museum aero coop jobs mobi travel tel asia cat \
io ai app dev xyz online site tech store blog cloud email live club top wiki page link news design digital world today \
agency studio space website software systems solutions team group company network ninja rocks science academy berlin \
london paris nyc tokyo amsterdam wien koeln hamburg scot wales bzh eus gal swiss global foundation engineering codes \
computer consulting health media social zone works tools gmbh shop bio eco technology services support community art \
academy accountants adult africa amsterdam associates attorney auction autos band barcelona bayern bet bike bingo blue boston \
boutique brussels builders cab cafe camera camp capetown capital cards care career careers cash casino center chat cheap \
church city claims cleaning clinic clothing coach coffee college cologne construction contractors cool corsica country credit \
cruises cymru dance dating deals degree democrat dental directory discount doctor dog domains durban education energy engineer \
enterprises equipment estate exchange expert express fail family fan farm finance financial fish fitness florist football fun \
fund furniture futbol fyi gallery games garden gent gift glass gold golf graphics guide guitars guru haus healthcare hockey \
holdings holiday homes horse hospital house how immo industries ink institute insure international investments irish ist \
istanbul jetzt jewelry joburg kim kitchen kiwi koeln kyoto land law lawyer lease legal lgbt life limited limo llc loan loans lol \
love ltd luxe maison management market marketing mba melbourne memorial men miami moe money mortgage moscow movie nagoya navy \
nrw okinawa one ong ooo osaka partners party photo photography photos pics pictures pink pizza plumbing plus press productions \
properties pub quebec racing realty recipes red rehab reise reisen ren rent rentals repair report republican restaurant reviews \
rip rocks ruhr saarland sale salon sarl school schule security sexy shoes show singles soccer solar srl stockholm studio style \
sucks supply surf surgery swiss sydney taipei tax taxi tennis theater tienda tips tirol tours town toys trade training \
university vacations vegas ventures vet viajes video villas vin vip vision vlaanderen vodka vote voyage wedding wine wtf \
yachts yoga yokohama zuerich xn--p1ai ";
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
/// The label before the top-level domain, whatever that is, of domains that stand for any.
const STAND_INS: &str = " example examples domain yourdomain mydomain somedomain anydomain otherdomain anotherdomain thedomain \
mycompany yourcompany somecompany foo bar baz foobar test testing host hostname localhost yourhost myhost somehost mailserver \
invalid yoursite mysite website somewhere nowhere whatever realm ";
/// Accounts that are no initials and nobody's: what Oracle's tests log in as, abbreviations.
const TECHNICAL: &str = " scott sid pg db hg cn dn dc ws fs vm sh ms my tf js ts py gcp pw rw xy tt wp ";
const NOBODY: &str = " git hg svn noreply no-reply this super return self ";
/// Before what looks like an address and names a message or a part of one.
const MESSAGES: [&[u8]; 12] = [
    b"message-id",
    b"message_id",
    b"messageid",
    b"msgid",
    b"msg-id",
    b"in-reply-to",
    b"in_reply_to",
    b"references:",
    b"content-id",
    b"cid:",
    b"mid:",
    b" id <",
];

#[inline(never)] // see `Redactor::bytes`
pub(super) fn find(scan: &mut Scan<'_, '_>, at: usize) {
    if !in_url(scan, at) {
        data_source(scan, at);
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
    // Of bounces: `list+jane=corp.de@host`.
    if scan.before(start) == b'=' {
        let whole = scan.run_before(start, 64, |b| local_byte(b) || b == b'=');
        if scan.text[whole..start].contains(&b'+') && start - whole < 64 {
            start = whole;
        }
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
    if algorithm(&local, &scan.string[at + 1..end])
        || message(&local)
        || MESSAGES.iter().any(|word| contains(scan.line_before(start, 40), word))
    {
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

/// Whether it is what SSH calls an algorithm or an extension: `sk-ssh-ed25519@openssh.com` (RFC 4251, section 6).
fn algorithm(local: &str, domain: &str) -> bool {
    let of = ["openssh.com", "libssh.org", "lysator.liu.se", "ssh.com"].contains(&domain);
    of && local.contains('-') || local.starts_with("sntrup")
}

/// Whether what stands before the `@` is no account but a message's number: a UUID, a date and time, hexadecimal.
fn message(local: &str) -> bool {
    let digits = local.bytes().filter(u8::is_ascii_digit).count();
    let head = local.bytes().take_while(u8::is_ascii_digit).count();
    let marks = local.bytes().filter(|b| matches!(b, b'.' | b'-')).count();
    let hex = local.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b'.'));
    let parts: Vec<usize> = local.split('-').map(str::len).collect();
    let exim = parts.len() == 3
        && matches!(parts[0], 6 | 7)
        && matches!(parts[1], 6 | 11)
        && matches!(parts[2], 2 | 4);
    !local.contains(['+', '='])
        && (digits >= 8 && local.len() >= 24
            || hex && digits >= 6 && local.len() >= 16
            || exim && digits >= 2
            // Of older Exim and smail: `m0s086w-0003hlC`.
            || parts[..] == [7, 7] && local.as_bytes()[8..12].iter().all(u8::is_ascii_digit)
            || head >= 8 && local[head..].starts_with('.')
            || digits >= 8 && marks >= 2 && local.len() >= 16)
        || local.starts_with("pine.") && digits > 3
        || local.starts_with("alpine.") && digits > 3
}

fn example(domain: &str) -> bool {
    let labels: Vec<&str> = domain.rsplit('.').collect();
    let second = labels.len() > 2 && matches!(labels[1], "co" | "com" | "org" | "net" | "ac" | "gov" | "edu");
    let label = labels.get(if second { 2 } else { 1 }).copied().unwrap_or("");
    if STAND_INS.contains(&format!(" {label} "))
        || label.len() == 1 && label.bytes().all(|b| matches!(b, b'a'..=b'c' | b'x'..=b'z'))
    {
        return true;
    }
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

/// `jane:VALUE@tcp(host:3306)/orders` and, as a whole string, `"jane:VALUE@/orders"`: how Go's drivers write it.
fn data_source(scan: &mut Scan<'_, '_>, at: usize) {
    let rest = &scan.text[at + 1..];
    let socket = [&b"tcp("[..], b"tcp6(", b"unix("].iter().any(|net| rest.starts_with(net));
    let whole = rest.starts_with(b"/") && WORD[scan.at(at + 2) as usize];
    if !(socket || whole) {
        return;
    }
    let start = scan.run_before(at, 160, |b| b > b' ' && !b"\"'`".contains(&b));
    let Some(colon) = memchr::memchr(b':', &scan.text[start..at]).map(|n| start + n) else { return };
    let user = scan.run_before(colon, 40, |b| WORD[b as usize] || matches!(b, b'-' | b'.'));
    let opens = match scan.before(user) {
        b'"' | b'\'' | b'`' => true,
        before => socket && matches!(before, b'=' | b' ' | b'\t' | b'\n' | b'('),
    };
    if opens && user < colon && values::in_url(&scan.string[colon + 1..at]) {
        scan.push(colon + 1, at, Kind::Password, "url");
    }
}

/// `scheme://user:password@host`: true if the `@` belongs to a URL, whatever was found in it.
fn in_url(scan: &mut Scan<'_, '_>, first: usize) -> bool {
    let inside = |b: u8| {
        !b.is_ascii_whitespace() && !matches!(b, b'/' | b'"' | b'\'' | b'@' | b'<' | b'`' | b'\\' | b',')
    };
    let start = scan.run_before(first, 256, inside);
    if start < 3 || &scan.text[start - 2..start] != b"//" || scan.text[start - 3] != b':' {
        return false;
    }
    // `jane:p@ss@host`: the password goes on to the last.
    let more = |b: u8| inside(b) && !b"?#&=;:()[]{}$".contains(&b);
    let mut at = first;
    while at < first + 64 {
        let other = scan.run_of(at + 1, 64, more);
        if scan.at(other) != b'@' || other == at + 1 {
            break;
        }
        at = other;
    }
    let next = scan.at(at + 1);
    // `"http://jane:…@" + host`
    let joined = matches!(next, b'"' | b'\'')
        && matches!(scan.at(scan.run_of(at + 2, 2, |b| b == b' ')), b'+' | b'.' | b',');
    if !next.is_ascii_alphanumeric() && !matches!(next, b'[' | b'$' | b'{' | b'%' | b'<') && !joined {
        return false;
    }
    let (user, password) = match memchr::memchr(b':', &scan.text[start..at]) {
        Some(n) => ((start, start + n), (start + n + 1, at)),
        None => ((start, at), (at, at)),
    };
    let name = &scan.string[user.0..user.1];
    let plain =
        |text: &str| !text.contains(['$', '{', '}', '<', '>', '(', ')', '*', '[', ']', '?', '#', ';']);
    let secret = &scan.string[password.0..password.1];
    if !secret.is_empty() {
        if plain(secret) && values::in_url(secret) {
            scan.push(password.0, password.1, Kind::Password, "url");
        }
        let account = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        // Two letters are a person's initials, or a word of technology.
        let initials = name.len() == 2
            && name.bytes().all(|b| b.is_ascii_lowercase() && !b"aeiou".contains(&b))
            && !TECHNICAL.contains(&format!(" {name} "));
        // Services' databases are called like their accounts.
        let host = scan.run_of(at + 1, 80, |b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        let database = scan.at(host) == b'/'
            && scan.string[host + 1..].strip_prefix(name).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'))
            });
        // `AccountSid:AuthToken@` of documentation.
        let label = name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            || name.as_bytes().windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
        let named = name.len() > 2 && !TECHNICAL.contains(&format!(" {name} ")) || initials;
        if plain(secret) && account && named && !label && !database && someone(name) {
            scan.push(user.0, user.1, Kind::User, "url");
        }
    } else if plain(name) && !name.contains('%') && tokens::token(name) {
        scan.push(user.0, user.1, Kind::Password, "url"); // a token in the place of the account
    }
    true
}
