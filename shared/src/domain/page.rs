/// The part of a list that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    /// Entries to pass over.
    pub offset: usize,
    /// Entries to show at most.
    pub limit: usize,
}

impl Page {
    /// The first ones.
    pub const fn first(limit: usize) -> Self {
        Self { offset: 0, limit }
    }

    /// Where the part ends.
    pub fn end(self) -> usize {
        self.offset + self.limit
    }
}
