//! Cleaning: what is taken out of a document before it is judged.

pub mod headers;
