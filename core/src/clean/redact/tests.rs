use super::{Format, Kind, Redactor};
use std::time::Instant;

fn redactor() -> Redactor {
    let anchors = vec!["ghx_".to_owned()];
    Redactor::new(vec![Format::new("toy".into(), Kind::Key, anchors, "ghx_[A-Za-z0-9]{20,}", true).unwrap()])
        .unwrap()
}

fn cleaned(text: &str) -> String {
    redactor().redact(text, false).0.into_owned()
}

#[test]
fn what_is_found() {
    for (text, expected) in [
        ("# mail jane.doe@corp-mail.de now", "# mail <email> now"),
        ("host = '93.184.216.34'", "host = '<ip>'"),
        ("connect to 2a00:1450:4001:81b::200e:", "connect to <ip>:"),
        ("# @author Jane Doe <jane@corp.de>", "# @author <name> <<email>>"),
        (" * @author jdoe\n", " * @author <name>\n"),
        (
            "// Copyright (c) 2014-2016 Jane van Doe, John A. Smith",
            "// Copyright (c) 2014-2016 <name>, <name>",
        ),
        ("Signed-off-by: Zoë Doe-Smith <z@corp.de>", "Signed-off-by: <name> <<email>>"),
        ("# Written by Jane Doe at home", "# Written by <name> at home"),
        ("# TODO(jdoe): later", "# TODO(<name>): later"),
        ("open('/home/janed/x')", "open('/home/<user>/x')"),
        (r"C:\\Users\\JaneD\\x", r"C:\\Users\\<user>\\x"),
        ("postgres://janed:s3cretpw@db/x", "postgres://<user>:<password>@db/x"),
        ("password = \"hunter2!\"", "password = \"<password>\""),
        ("api_key: str = 'a8F3kd92JsLq01Zx'", "api_key: str = '<password>'"),
        ("\"Server=x;Password=Abc9!x;\"", "\"Server=x;Password=<password>;\""),
        ("call +49 30 9018 2073", "call <phone>"),
        ("(212) 736-5002", "<phone>"),
        ("t = \"ghx_0123456789abcdefABCD\"", "t = \"<key>\""),
        (
            "authors = [\"Jane Doe <j@corp.de>\", \"Jo Smith\"]",
            "authors = [\"<name> <<email>>\", \"<name>\"]",
        ),
    ] {
        assert_eq!(cleaned(text), expected);
        assert_eq!(cleaned(expected), expected, "placeholders stay");
    }
}

#[test]
fn what_stays() {
    for text in [
        "@Override @media @property @app.route('/x')",
        "foo@2x.png pkg@1.2.3 git@github.com:a/b.git you@example.com self.W@x.T y = a@b.to(d)",
        "127.0.0.1 10.1.2.3 192.168.1.1 203.0.113.7 version 4.12.33.7 1.3.6.1.4.1.311 1.2.3.4 255.255.255.0",
        "2001:db8::1 fe80::1 std::fmt 12:30:45 00:1a:2b:3c:4d:5e",
        "Copyright (c) 2015 Google Inc. Copyright 2012 The Go Authors. (c) Red Hat, Inc.",
        "password = \"password\"; password = getpass(); type=\"password\"; token = \"access_token\"",
        "password: \"${DB_PASSWORD}\", secret_name = 'my-secret-1', max_tokens = 4096, token: 'a-b-c'",
        "https://host:8080/a@b and http://{user}:{password}@h/",
        "/home/runner/x /Users/ /home/user/ C:\\Users\\Public\\x",
        "d41d8cd98f00b204e9800998ecf8427e 550e8400-e29b-41d4-a716-446655440000 2024-01-02 555-0100",
        "TODO(#123) TODO(soon): x",
        "author: String, @author",
    ] {
        assert_eq!(cleaned(text), text);
    }
}

#[test]
fn the_body_of_a_private_key_goes_and_strings_stay_strings() {
    let dashes = "-----";
    let head = format!("{dashes}BEGIN RSA PRIVATE KEY{dashes}");
    let tail = format!("{dashes}END RSA PRIVATE KEY{dashes}");
    let line = "MIIEpAIBAAKCAQEA7bq3xkzv0yqPLq8nM1s2";
    let raw = format!("{head}\n{line}\n{line}\nabc==\n{tail}\n");
    assert_eq!(cleaned(&raw), format!("{head}\n<key>\n{tail}\n"));
    let spread = format!("\"{head}\\n\" +\n\"{line}\\n\" +\n\"{line}\\n\" +\n\"{tail}\"");
    let expected = format!("\"{head}\\n\" +\n\"<key>\\n\" +\n\"<key>\\n\" +\n\"{tail}\"");
    assert_eq!(cleaned(&spread), expected);
    assert_eq!(cleaned(&format!("{head} ... {tail}")), format!("{head} ... {tail}"));
}

#[test]
fn one_value_is_of_one_kind() {
    let key = "ghx_0123456789abcdefABCD";
    assert_eq!(cleaned(&format!("token = \"{key}\"\nf(\"{key}\")")), "token = \"<key>\"\nf(\"<key>\")");
}

#[test]
fn any_text_takes_linear_time_and_never_panics() {
    let redactor = redactor();
    for pattern in [
        "@",
        "a@a.",
        "1.1.",
        "1.2.3.4.",
        "://",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "-----END",
        "\\\"",
        "\\",
        "\"",
        "ghx_",
        "-ghx_",
        "+1 ",
        "+1-2-",
        "212-",
        "(212) 736-",
        "2001:",
        "author: ",
        "@author A",
        "Copyright (c) 2001 A ",
        "token=",
        "password=\"",
        "password: a",
        "/home/",
        "TODO(",
        "A B ",
        "a <a@",
        "é",
        "Bearer ",
        "Ab Cd <",
        "sshpass -p ",
        "phone ",
        "tel;",
        "${password:-",
        "set_password(\"a\", ",
        "/home/zebu/x ",
        "1.2.3.4 netmask ",
        "kty ",
        "\"kty\": ",
        "kind: Secret\ndata:\n  a: b\n",
        "kind: Secret\n---\n",
        "<apikeys>",
        "<RSAKeyValue>",
        "Private-Lines: 400\n",
        "MIIEvQIBADANBgkqhkiG9w0BAQ",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFW\n",
        "curl -u ",
        " -u a:",
        " -b a=",
        "cookie: session=a;",
        "mysqli_connect(",
        "mysqli_connect(\"a\", ",
        "'a' == password ",
        "machine a login b password ",
        ":5432:a:b:",
        "echo a | chpasswd ",
        "echo | --password-stdin",
        "authorization: a ",
        "ConvertTo-SecureString ",
        "a:b:62.12.4.9 ",
        "password =\n\n",
        "password: |\n",
        "name: password\nvalue",
        "password: {",
        "password: {\"a",
        "password: {value",
        "password:\n  a: b\n",
        "    password:\n",
        "variable \"password\" {",
        "name: \"password\", ",
        "jwt\":{\"key\":\"",
        "a:b@tcp(",
        "\"a:b@/x",
        "${password}    ",
        "ENV api_key ",
        "set -x pw ",
        "net use /user:",
        "net user a ",
        "password { get; set; } = ",
        "\"password\" to \"",
        "aes_key=\"",
        "from 62.12.4.9 to ",
        "62.12.4.9 (2020-01-01",
        "password = \"a|b:",
    ] {
        let text = pattern.repeat(1_000_000 / pattern.len());
        let started = Instant::now();
        let (clean, _) = redactor.redact(&text, true);
        let seconds = started.elapsed().as_secs_f64();
        // A quadratic pattern takes hours; a busy machine takes a debug build some seconds.
        assert!(seconds < 30.0, "{pattern:?}: {seconds:.1} s for 1 MB");
        drop(clean);
    }
}
