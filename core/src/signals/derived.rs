//! What is derived from a document, kept by its type.

use std::any::{Any, TypeId};
use std::cell::OnceCell;

/// Values of different types, at most one of each; none is ever taken out.
///
/// Why: what families derive is known to them alone. If a document named it all, it would import every family, each of
/// which imports the document. There are about ten values for a document, so a list is looked through at once.
#[derive(Default)]
pub struct Derived {
    first: Next,
}

type Next = OnceCell<Box<Node>>;

struct Node {
    kind: TypeId,
    value: Box<dyn Any>,
    next: Next,
}

impl Derived {
    /// The value of this type; made by `make`, which may ask for others, if nobody has asked for it before.
    pub fn get<T: 'static>(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(found) = self.find() {
            return found;
        }
        let value = Box::new(make());
        let mut last = &self.first;
        while let Some(node) = last.get() {
            last = &node.next;
        }
        let node = last.get_or_init(|| Box::new(Node { kind: TypeId::of::<T>(), value, next: Next::new() }));
        node.value.downcast_ref().expect("it was made of this type")
    }

    fn find<T: 'static>(&self) -> Option<&T> {
        let mut next = &self.first;
        while let Some(node) = next.get() {
            if node.kind == TypeId::of::<T>() {
                return node.value.downcast_ref();
            }
            next = &node.next;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Derived;

    #[test]
    fn each_type_is_made_once() {
        let derived = Derived::default();
        assert_eq!(*derived.get(|| i64::from(*derived.get(|| 2_u8)) + 1), 3);
        assert_eq!((*derived.get(|| 9_u8), *derived.get(|| 9_i64), *derived.get(|| 9_u16)), (2, 3, 9));
    }
}
