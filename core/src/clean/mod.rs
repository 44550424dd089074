//! Cleaning: what is changed in a document before it is judged, so that what can be mended is not lost.

pub mod headers;
#[cfg(feature = "python")]
pub(crate) mod python;
pub mod redact;
