//! Blocks that go back to their reader once nobody uses them.

use crate::system::spares::Spares;
use kuu_core::lines::Block;
use std::ops::Deref;

/// A block that others may keep for as long as they need its lines: share it by an `Arc`.
#[derive(Default)]
pub struct LentBlock {
    block: Block,
    spares: Spares<Block>,
}

impl LentBlock {
    /// A block that the last user gives back to `spares`.
    pub(super) fn of(spares: &Spares<Block>, block: Block) -> LentBlock {
        LentBlock { block, spares: spares.clone() }
    }
}

impl From<Block> for LentBlock {
    /// A block that nobody wants back.
    fn from(block: Block) -> LentBlock {
        LentBlock { block, spares: Spares::default() }
    }
}

impl Deref for LentBlock {
    type Target = Block;

    fn deref(&self) -> &Block {
        &self.block
    }
}

impl Drop for LentBlock {
    fn drop(&mut self) {
        self.spares.give_back(std::mem::take(&mut self.block));
    }
}
