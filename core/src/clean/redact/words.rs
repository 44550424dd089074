//! The words at which something is looked for, in any case of letters.

use super::assigned::Strength;
use super::names::Context;

/// What an anchor starts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Word {
    Assigned(Strength),
    Option,
    Bearer,
    Name(Context),
    Home(u8),
    Pem,
    Phone,
    Format(usize),
}

const PASSWORD: Word = Word::Assigned(Strength::Password);
const SECRET: Word = Word::Assigned(Strength::Secret);
const AUTHOR: Word = Word::Name(Context::Author);
const BYLINE: Word = Word::Name(Context::Byline);
const TASK: Word = Word::Name(Context::Task);

pub(super) const ANCHORS: &[(&str, Word)] = &[
    ("password", PASSWORD),
    ("passwd", PASSWORD),
    ("passphrase", PASSWORD),
    ("passwort", PASSWORD),
    ("pwd", PASSWORD),
    ("_pass", PASSWORD),
    ("pass", SECRET),
    ("secret", SECRET),
    ("token", SECRET),
    ("api_key", SECRET),
    ("apikey", SECRET),
    ("api-key", SECRET),
    ("access_key", SECRET),
    ("accesskey", SECRET),
    ("access-key", SECRET),
    ("private_key", SECRET),
    ("privatekey", SECRET),
    ("auth_key", SECRET),
    ("authkey", SECRET),
    ("encryption_key", SECRET),
    ("signing_key", SECRET),
    ("accountkey", SECRET),
    ("account_key", SECRET),
    ("--password", Word::Option),
    ("--passwd", Word::Option),
    ("--token", Word::Option),
    ("--secret", Word::Option),
    ("bearer ", Word::Bearer),
    ("basic ", Word::Bearer),
    ("copyright", Word::Name(Context::Copyright)),
    ("(c)", Word::Name(Context::Sign)),
    ("©", Word::Name(Context::Sign)),
    ("&copy;", Word::Name(Context::Sign)),
    ("author", AUTHOR),
    ("maintainer", AUTHOR),
    ("contributor", AUTHOR),
    ("written by", BYLINE),
    ("created by", BYLINE),
    ("developed by", BYLINE),
    ("contributed by", BYLINE),
    ("implemented by", BYLINE),
    ("maintained by", BYLINE),
    ("modified by", BYLINE),
    ("designed by", BYLINE),
    ("ported by", BYLINE),
    ("coded by", BYLINE),
    ("reported by", BYLINE),
    ("suggested by", BYLINE),
    ("fixed by", BYLINE),
    ("patch by", BYLINE),
    ("patch from", BYLINE),
    ("thanks to", BYLINE),
    ("-by:", Word::Name(Context::Trailer)),
    ("todo(", TASK),
    ("fixme(", TASK),
    ("xxx(", TASK),
    ("hack(", TASK),
    ("note(", TASK),
    ("/home/", Word::Home(b'/')),
    ("/users/", Word::Home(b'/')),
    ("\\users\\", Word::Home(b'\\')),
    ("-----begin", Word::Pem),
    ("phone", Word::Phone),
    ("mobile", Word::Phone),
    ("tel:", Word::Phone),
    ("tel.", Word::Phone),
    ("fax", Word::Phone),
    ("whatsapp", Word::Phone),
];
