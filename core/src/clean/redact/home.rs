//! User names in the paths of home folders: `/home/NAME/`, `/Users/NAME/`, `C:\Users\NAME\`.

use super::Kind;
use super::bytes::Scan;

/// Accounts that are nobody's, and what stands after `/home/` and `/Users/` in the routes of web sites.
const NOBODY: &str = " admin administrator agent all alice anonymous app appuser apps assets azureuser bin bob build \
builder builduser centos ci circleci cloud codespace coder conda config container css current dashboard data debian \
default defaultuser deploy desktop dev develop developer docker doc docs ec2-user edit eve example fedora fixtures foo fs-images \
bar baz game garden ghost git gitpod gradle guest home host html i18n icons image images img include index info \
jenkins jovyan js kali lib linuxbrew list local login login_user logout main me mobile my myname myself mysql myuser \
myusername name new news nginx node nobody nodejs nodeuser none nonexistent oracle page pages pi postgres postgresql private profile \
project projects public python ray register root runner runneradmin sandbox scripts search section settings shared show \
site some someone someuser spack src samples static steam store student sysop system tab template templates temp test tester \
testuser tests tmp tomcat travis ubuntu uname update user user1 user2 username userid users usr vagrant view vscode \
vsts web widget www www-data work worker workspace xxx yarn you your yourname yourusername your_name your_username \
ftp tftp mail backup redis elastic hadoop hdfs spark airflow kubernetes k8s nix nixbld gitlab actions opam rstudio \
johndoe john jane joe jdoe dummy someuser user_name your-name your-username ";

pub(super) fn find(scan: &mut Scan<'_, '_>, start: usize, end: usize, separator: u8) {
    // `/users/` is a route; only Windows does not care for the case.
    if separator == b'/' && !matches!(&scan.text[start..end], b"/home/" | b"/Users/") {
        return;
    }
    let before = scan.before(start);
    let line = scan.line_before(start, 8).to_ascii_lowercase();
    if [&b"href=\""[..], b"href='", b"src=\"", b"src='"].iter().any(|attribute| line.ends_with(attribute)) {
        return;
    }
    if line.ends_with(b"<user>") {
        return; // `/home/jane/home/jo/`: what was left alone stays so once the first is replaced
    }
    let option = matches!(line[..], [.., b'-', b'i' | b'l' | b'b' | b'o']); // -I/home/…
    if !scan.fresh(start) && !option && !windows(scan, start) && !line.ends_with(b"%3a")
        || matches!(before, b'.' | b'_' | b'-' | b'}' | b')')
    {
        return;
    }
    let mut from = end;
    while scan.at(from) == separator && from < end + 2 {
        from += 1; // the backslash is doubled in strings
    }
    let to =
        scan.run_of(from, 33, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-') || b >= 0x80);
    if to - from < 2
        || to - from > 32
        || !matches!(scan.at(to), b'/' | b'\\')
        || !someone(&scan.string[from..to])
    {
        return;
    }
    scan.push(from, to, Kind::User, "home");
}

/// `/c/Users/…` of shells on Windows, `C:/Users/…`.
fn windows(scan: &Scan<'_, '_>, start: usize) -> bool {
    start >= 2 && scan.text[start - 2] == b'/' && scan.text[start - 1].eq_ignore_ascii_case(&b'c')
}

/// Whether a user's name may be a person's.
pub(super) fn someone(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.bytes().any(|b| b.is_ascii_alphabetic() || b >= 0x80)
        && !name.starts_with(['.', '-'])
        && !NOBODY.contains(&format!(" {lower} "))
        && !lower.split(['.', '-', '_']).any(|part| matches!(part, "user" | "test" | "admin" | "runner"))
        && !lower.ends_with("runner")
        && !lower.bytes().all(|b| b == lower.as_bytes()[0])
        && !matches!(lower.as_str(), "abc" | "xyz" | "xxx")
        && ![".html", ".js", ".php", ".css", ".py"].iter().any(|suffix| lower.ends_with(suffix))
}
