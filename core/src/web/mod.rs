//! Web pages to text, with code as it stands; and what a classifier says of texts.
//!
//! [`page::extract`] makes one page's text: code blocks byte for byte inside fences, with the language where the page
//! says it; headings, lists and tables as lines; without navigation, banners, line numbers and buttons.

mod blocks;
mod entities;
pub mod fasttext;
mod names;
pub mod page;
pub mod tokens;

#[cfg(feature = "python")]
pub(crate) mod python;

#[cfg(test)]
mod tests;
