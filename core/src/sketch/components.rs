//! Connected components: which documents hang together through pairs.

/// The distinct nodes of the pairs `(a[i], b[i])`, ascending, and for each the smallest node it is connected with.
///
/// Time: sorting, then nearly linear in the pairs; chains of any length, as nothing recurses. Memory: 16 bytes per pair
/// while the nodes are made distinct, then at most 28 per node. The result does not depend on the order of the pairs.
/// Results of several parts, taken as pairs, can be joined by another call.
///
/// Errors: 2³² nodes or more.
pub fn components(a: &[u64], b: &[u64]) -> Result<(Vec<u64>, Vec<u64>), String> {
    let mut nodes = Vec::with_capacity(a.len() + b.len());
    nodes.extend_from_slice(a);
    nodes.extend_from_slice(b);
    nodes.sort_unstable();
    nodes.dedup();
    nodes.shrink_to_fit();
    if u32::try_from(nodes.len()).is_err() {
        return Err(format!(
            "a and b have {} distinct nodes; at most 2^32 - 1 can be joined at once",
            nodes.len()
        ));
    }
    let index = Index::new(&nodes);
    let mut parents: Vec<u32> = (0..nodes.len() as u32).collect();
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (root(&mut parents, index.of(a)), root(&mut parents, index.of(b)));
        // Always under the smaller: roots come out right, and parents come before their children.
        parents[a.max(b) as usize] = a.min(b);
    }
    let mut roots = Vec::with_capacity(nodes.len());
    for node in 0..nodes.len() {
        let parent = parents[node] as usize;
        roots.push(if parent == node { nodes[node] } else { roots[parent] });
    }
    Ok((nodes, roots))
}

/// The root of a node; every other node on the way is moved up (path halving), so that later ways are short.
fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let up = parents[parents[node as usize] as usize];
        parents[node as usize] = up;
        node = up;
    }
    node
}

/// Where a value is in a sorted list: a table by its leading bits, then a search in what is left.
///
/// Why: a binary search alone misses the cache at every step. Row numbers are dense and hashes are uniform; either way
/// a slot has about one node.
struct Index<'a> {
    nodes: &'a [u64],
    slots: Vec<u32>,
    shift: u32,
}

impl<'a> Index<'a> {
    fn new(nodes: &'a [u64]) -> Self {
        let range = nodes.last().map_or(0, |last| last - nodes[0]);
        let bits = (usize::BITS - nodes.len().leading_zeros()).min(32);
        let shift = (u64::BITS - range.leading_zeros()).saturating_sub(bits);
        let mut slots = vec![0; (range >> shift) as usize + 2];
        for node in nodes {
            slots[((node - nodes[0]) >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for slot in &mut slots {
            sum += *slot;
            *slot = sum;
        }
        Self { nodes, slots, shift }
    }

    fn of(&self, value: u64) -> u32 {
        let slot = ((value - self.nodes[0]) >> self.shift) as usize;
        let (from, to) = (self.slots[slot], self.slots[slot + 1]);
        from + self.nodes[from as usize..to as usize].partition_point(|node| *node < value) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::components;
    use crate::sketch::shingles::SplitMix;

    #[test]
    fn pairs_chains_and_loops() {
        let components = |a: &[u64], b: &[u64]| components(a, b).expect("few nodes");
        assert_eq!(components(&[], &[]), (vec![], vec![]));
        assert_eq!(components(&[7], &[7]), (vec![7], vec![7]));
        let (nodes, roots) = components(&[5, u64::MAX, 9, 0, 5], &[3, 9, u64::MAX, 1, 3]);
        assert_eq!((nodes, roots), (vec![0, 1, 3, 5, 9, u64::MAX], vec![0, 0, 3, 3, 9, 9]));
        for step in [1_u64, 1 << 43] {
            let mut chain: Vec<u64> = (0..200_000).map(|i| i * step).collect();
            for _ in 0..2 {
                let (_, roots) = components(&chain[..chain.len() - 1], &chain[1..]);
                assert!(roots.len() == 200_000 && roots.iter().all(|r| *r == 0));
                chain.reverse();
            }
        }
    }

    #[test]
    fn the_same_as_flooding() {
        let components = |a: &[u64], b: &[u64]| components(a, b).expect("few nodes");
        let mut random = SplitMix(11);
        for (pairs, nodes) in [(40, 50), (200, 300), (300, 90)] {
            let mut draw = || (random.next() % nodes) * 0x1_0000_0001;
            let edges: Vec<(u64, u64)> = (0..pairs).map(|_| (draw(), draw())).collect();
            let (a, b): (Vec<u64>, Vec<u64>) = edges.iter().copied().unzip();
            let (found, roots) = components(&a, &b);
            let mut want = found.clone();
            for _ in 0..found.len() {
                for &(a, b) in &edges {
                    let at = |node| found.partition_point(|x| *x < node);
                    let low = want[at(a)].min(want[at(b)]);
                    (want[at(a)], want[at(b)]) = (low, low);
                }
            }
            assert_eq!(roots, want);
            assert_eq!(components(&b, &a).1, roots);
            let (half, rest) = (components(&a[..20], &b[..20]), components(&a[20..], &b[20..]));
            let (a, b) = ([half.0, rest.0].concat(), [half.1, rest.1].concat());
            assert_eq!(components(&a, &b), (found, roots));
        }
    }
}
