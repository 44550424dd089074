//! Which blocks of a page are its content, and the text that they make.

/// What a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A paragraph, or anything like one.
    Text,
    /// A heading and its level.
    Heading(usize),
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
    /// Code in a fence.
    Code,
}

/// A piece of what was read: its place in the text, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
    /// Whether it is inside of an element that holds content.
    pub content: bool,
    /// Bytes of it that are links.
    pub linked: usize,
}

impl Block {
    fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nearly all of it is a link.
    fn leads_away(&self) -> bool {
        self.kind != Kind::Code && self.linked * 10 >= self.len() * 8
    }
}

/// Elements of content count if they hold at least this much (bytes), and this share of the page: 1 / 10.
const MIN_CONTENT: usize = 150;
const MIN_SHARE: usize = 10;
/// So many links in a row are navigation, where no element says what is content.
const MENU: usize = 3;

/// The text of the blocks that are content, and how many of them are code.
pub fn assemble(out: &str, blocks: &[Block], title: &str) -> (String, u32) {
    let total: usize = blocks.iter().map(Block::len).sum();
    let content: usize = blocks.iter().filter(|block| block.content).map(Block::len).sum();
    let chosen = content >= MIN_CONTENT && content * MIN_SHARE >= total;
    let kept: Vec<&Block> =
        if chosen { blocks.iter().filter(|block| block.content).collect() } else { without_menus(blocks) };
    let mut text = String::with_capacity(total + title.len() + 2 * kept.len());
    if !title.is_empty() && !kept.iter().any(|block| block.kind == Kind::Heading(1)) {
        text.push_str("# ");
        text.push_str(title);
    }
    let mut before = None;
    for block in &kept {
        if !text.is_empty() {
            let together = before == Some(block.kind) && matches!(block.kind, Kind::Item | Kind::Row);
            text.push_str(if together { "\n" } else { "\n\n" });
        }
        match block.kind {
            Kind::Heading(level) => {
                text.push_str(&"#".repeat(level));
                text.push(' ');
                text.push_str(&out[block.start..block.end].replace('\n', " "));
            }
            Kind::Row => {
                text.push_str("| ");
                text.push_str(&out[block.start..block.end]);
                text.push_str(" |");
            }
            _ => text.push_str(&out[block.start..block.end]),
        }
        before = Some(block.kind);
    }
    if kept.is_empty() {
        return (String::new(), 0); // a title alone is no page
    }
    let code = kept.iter().filter(|block| block.kind == Kind::Code).count();
    (text, u32::try_from(code).unwrap_or(u32::MAX))
}

fn without_menus(blocks: &[Block]) -> Vec<&Block> {
    let mut kept = Vec::with_capacity(blocks.len());
    for run in blocks.chunk_by(|one, other| one.leads_away() == other.leads_away()) {
        if !(run[0].leads_away() && run.len() >= MENU) {
            kept.extend(run);
        }
    }
    kept
}
