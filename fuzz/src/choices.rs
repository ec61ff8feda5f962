//! Bytes as a list of choices. When it is used up, every further choice is the
//! first one: a shorter input is a simpler one.

pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else {
            return 0;
        };
        self.bytes = rest;
        first
    }

    /// One of `0..count`; 0 if there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()).checked_rem(count).unwrap_or(0)
    }

    /// True for so many of 256 choices; never at the end.
    pub(crate) fn chance(&mut self, of_256: u8) -> bool {
        self.byte() > u8::MAX - of_256
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Something of a list, if it has anything.
    pub(crate) fn pick<'b, T>(&mut self, all: &'b [T]) -> Option<&'b T> {
        all.get(self.below(all.len()))
    }

    /// The next bytes, preceded by how many they are.
    pub(crate) fn block(&mut self) -> &'a [u8] {
        let length = usize::from(u16::from_le_bytes([self.byte(), self.byte()]));
        let (block, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        block
    }
}
