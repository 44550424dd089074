//! Passwords among the arguments of well-known calls: `mysqli_connect("host", "jane", "VALUE")`.

use super::bytes::{Scan, WORD};
use super::candidate::{Strength, closing, judge, opening};

/// How far the arguments of a call are read.
const WINDOW: usize = 600;

/// Calls, up to and with their bracket, and which argument is the secret, from 0.
pub(super) const CALLS: [(&str, u8, Strength); 79] = [
    ("mysqli_connect(", 2, Strength::Password),
    ("mysql_connect(", 2, Strength::Password),
    ("mysql_pconnect(", 2, Strength::Password),
    ("mysqli(", 2, Strength::Password),
    ("mysqli_real_connect(", 3, Strength::Password),
    ("mysql_real_connect(", 3, Strength::Password),
    ("real_connect(", 2, Strength::Password),
    ("pymysql.connect(", 2, Strength::Password),
    ("mysqldb.connect(", 2, Strength::Password),
    ("new pdo(", 2, Strength::Password),
    ("dbi->connect(", 2, Strength::Password),
    ("dbi.connect(", 2, Strength::Password),
    ("drivermanager.getconnection(", 2, Strength::Password),
    ("oci_connect(", 1, Strength::Password),
    ("oci_pconnect(", 1, Strength::Password),
    ("ocilogon(", 1, Strength::Password),
    ("cx_oracle.connect(", 1, Strength::Password),
    ("oracledb.connect(", 1, Strength::Password),
    ("odbc_connect(", 2, Strength::Password),
    ("ibase_connect(", 2, Strength::Password),
    ("sybase_connect(", 2, Strength::Password),
    ("mssql_connect(", 2, Strength::Password),
    ("db2_connect(", 2, Strength::Password),
    ("ifx_connect(", 2, Strength::Password),
    ("ftp_login(", 2, Strength::Password),
    ("imap_open(", 2, Strength::Password),
    ("ldap_bind(", 2, Strength::Password),
    ("simple_bind_s(", 1, Strength::Password),
    ("ssh2_auth_password(", 2, Strength::Password),
    ("ftplib.ftp(", 2, Strength::Password),
    ("net::ftp.open(", 2, Strength::Password),
    ("plainauth(", 2, Strength::Password),
    ("cram_md5_auth(", 1, Strength::Password),
    ("crammd5auth(", 1, Strength::Password),
    ("networkcredential(", 1, Strength::Pass),
    ("usernamepasswordcredentials(", 1, Strength::Password),
    ("createconnection(", 2, Strength::Pass),
    ("jwt.sign(", 1, Strength::Secret),
    ("jwt.verify(", 1, Strength::Secret),
    ("jwt.encode(", 1, Strength::Secret),
    ("jwt.decode(", 1, Strength::Secret),
    ("jwt::encode(", 1, Strength::Secret),
    ("jwt::decode(", 1, Strength::Secret),
    ("hash_hmac(", 2, Strength::Secret),
    ("createhmac(", 1, Strength::Secret),
    ("cookieparser(", 0, Strength::Secret),
    ("ftp(", 2, Strength::Password),
    ("transport.connect(", 2, Strength::Password),
    ("smtp.start(", 4, Strength::Password),
    ("ssh.connect(", 3, Strength::Password),
    ("createcredential(", 2, Strength::Password),
    ("create_user(", 2, Strength::Pass),
    ("create_superuser(", 2, Strength::Password),
    ("credentials(", 3, Strength::Password),
    ("jedis.auth(", 0, Strength::Password),
    ("redis.auth(", 0, Strength::Password),
    ("redis->auth(", 0, Strength::Password),
    ("keystore.load(", 1, Strength::Password),
    ("pbekeyspec(", 0, Strength::Password),
    ("secretkeyspec(", 0, Strength::Secret),
    ("openssl_encrypt(", 2, Strength::Secret),
    ("openssl_decrypt(", 2, Strength::Secret),
    ("aes.encrypt(", 1, Strength::Secret),
    ("aes.decrypt(", 1, Strength::Secret),
    ("createcipher(", 1, Strength::Secret),
    ("createcipheriv(", 1, Strength::Secret),
    ("createdecipheriv(", 1, Strength::Secret),
    ("fernet(", 0, Strength::Secret),
    ("hmac.new(", 0, Strength::Secret),
    ("algorithm.hmac256(", 0, Strength::Secret),
    ("algorithm.hmac384(", 0, Strength::Secret),
    ("algorithm.hmac512(", 0, Strength::Secret),
    ("signwith(", 1, Strength::Secret),
    ("setsigningkey(", 0, Strength::Secret),
    ("hmacshakeyfor(", 0, Strength::Secret),
    ("signedstring([]byte(", 0, Strength::Secret),
    ("newcookiestore([]byte(", 0, Strength::Secret),
    ("bearer_auth(", 0, Strength::Secret),
    ("wifi.begin(", 1, Strength::Password),
];

/// From the end of such a call's name and bracket on.
pub(super) fn find(scan: &mut Scan<'_, '_>, end: usize, number: usize) {
    let (_, place, strength) = CALLS[number];
    if let Some((from, to)) = argument(scan, end, usize::from(place)) {
        judge(scan, from, to, strength);
    }
}

/// Where the string begins and ends that is the argument of this number; nothing if that is no string.
fn argument(scan: &Scan<'_, '_>, from: usize, number: usize) -> Option<(usize, usize)> {
    let mut at = from;
    let mut depth = 0;
    let mut seen = 0;
    let blank = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    at = scan.run_of(at, 64, blank);
    while at < from + WINDOW && at < scan.text.len() {
        if seen == number && depth == 0 {
            let (open, inner) = opening(scan, at)?;
            let stop = closing(scan, open, inner)?;
            let next = scan.run_of(stop + 1, 64, blank);
            return matches!(scan.at(next), b',' | b')' | b'.').then_some((inner, stop));
        }
        match scan.text[at] {
            b'"' | b'\'' | b'`' => at = closing(scan, at, at + 1)? + 1,
            b'(' | b'[' | b'{' => (depth, at) = (depth + 1, at + 1),
            b')' | b']' | b'}' if depth == 0 => return None,
            b')' | b']' | b'}' => (depth, at) = (depth - 1, at + 1),
            b',' if depth == 0 => {
                seen += 1;
                at = scan.run_of(at + 1, 64, blank);
            }
            b';' => return None,
            _ => at += 1,
        }
    }
    None
}

/// What compares two values, the string first: `strcmp("VALUE", password)`.
const COMPARING: &str = " strcmp strcasecmp strncmp hash_equals compare_digest timingSafeEqual safeCompare secureCompare \
secure_compare fixed_length_secure_compare ConstantTimeCompare constantTimeEquals isEqual assertEquals assertEqual assertSame assert_eq \
assert_equal equals equal Equals Compare ";
/// Methods of a string that compare: `"VALUE".equals(password)`.
const METHODS: &str =
    " equals equalsIgnoreCase contentEquals compareTo isEqualTo equal eql Equals localeCompare eq ";

/// The string that is compared with what begins (at the latest) at `start`, where it stands first: `'VALUE' == password`.
pub(super) fn compared(scan: &Scan<'_, '_>, start: usize) -> Option<(usize, usize)> {
    let of_name = |b: u8| WORD[b as usize] || b"$.->[\"'@&*:".contains(&b);
    let head = scan.run_before(start, 48, of_name);
    let blank = |b: u8| b == b' ' || b == b'\t';
    let sign = scan.run_before(head, 8, blank);
    let line = scan.line_before(sign, 4);
    let signs = if line.ends_with(b"===") || line.ends_with(b"!==") {
        3
    } else if [&b"=="[..], b"!=", b"<>", b"eq", b"ne"].iter().any(|s| line.ends_with(s)) {
        2
    } else if line.ends_with(b" =") && (scan.at(head) != b'"' || scan.at(head + 1) == b'$') {
        1 // of SQL and of `test`
    } else {
        return called(scan, sign);
    };
    ended(scan, scan.run_before(sign - signs, 8, blank))
}

/// The same of calls: behind `(` of a method, and behind `,` of a function.
fn called(scan: &Scan<'_, '_>, sign: usize) -> Option<(usize, usize)> {
    match scan.before(sign) {
        b'(' => {
            let name = scan.run_before(sign - 1, 20, |b| WORD[b as usize]);
            let known = METHODS.contains(&format!(" {} ", scan.string.get(name..sign - 1)?));
            (known && name < sign - 1 && scan.before(name) == b'.').then(|| ended(scan, name - 1))?
        }
        b',' => {
            let (inner, stop) = ended(scan, scan.run_before(sign - 1, 8, |b| b == b' '))?;
            let open = inner - 1;
            let open = open - usize::from(matches!(scan.before(open), b'b' | b'B' | b'@'));
            let bracket = scan.run_before(open, 8, |b| b == b' ');
            let bang = bracket.checked_sub(1).filter(|_| scan.before(bracket) == b'(')?;
            let bang = bang - usize::from(scan.before(bang) == b'!');
            let name = scan.run_before(bang, 32, |b| WORD[b as usize]);
            let known = COMPARING.contains(&format!(" {} ", scan.string.get(name..bang)?));
            (known && name < bang).then_some((inner, stop))
        }
        _ => None,
    }
}

/// The string whose closing quote stands before `end`, on its line.
pub(super) fn ended(scan: &Scan<'_, '_>, end: usize) -> Option<(usize, usize)> {
    let quote = scan.before(end);
    if !matches!(quote, b'"' | b'\'' | b'`') || end < 2 {
        return None;
    }
    let stop = end - 1;
    let inner = scan.run_before(stop, 256, |b| b != quote && b != b'\n' && b != b'\\');
    (inner < stop && scan.before(inner) == quote && scan.string.is_char_boundary(inner))
        .then_some((inner, stop))
}
