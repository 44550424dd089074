//! What can be found, and where it was.

/// What a value is, in order of precedence where two overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A key in a known format, or a private key.
    Key,
    /// A value that its context calls a password or secret.
    Password,
    /// A user name in a path or URL.
    User,
    /// An e-mail address.
    Email,
    /// A public IPv4 or IPv6 address.
    Ip,
    /// A telephone number.
    Phone,
    /// A person.
    Name,
}

impl Kind {
    /// Every kind, in the order in which counts are given.
    pub const ALL: [Kind; 7] =
        [Kind::Name, Kind::Email, Kind::Ip, Kind::Phone, Kind::User, Kind::Password, Kind::Key];

    /// The name of its count and, in angle brackets, its placeholder.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Name => "name",
            Kind::Email => "email",
            Kind::Ip => "ip",
            Kind::Phone => "phone",
            Kind::User => "user",
            Kind::Password => "password",
            Kind::Key => "key",
        }
    }

    /// What stands in its place.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Kind::Name => "<name>",
            Kind::Email => "<email>",
            Kind::Ip => "<ip>",
            Kind::Phone => "<phone>",
            Kind::User => "<user>",
            Kind::Password => "<password>",
            Kind::Key => "<key>",
        }
    }
}

/// A run of bytes that is replaced, and the rule or key format that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
    /// "email", "copyright", or the name of a key format.
    pub rule: &'a str,
}
