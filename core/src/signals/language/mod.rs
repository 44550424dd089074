//! Signals of single languages, one file each.

pub mod python;
