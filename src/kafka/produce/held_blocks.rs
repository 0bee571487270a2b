//! The blocks in which librdkafka reads values.

use crate::input::LentBlock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes of storage that are held: the values of other blocks are copied. A block is held until its last message
/// is settled, and that may be long while the broker of one partition is away.
const MOST_BYTES: usize = 96 << 20;

/// The blocks in which librdkafka reads values, by their address.
#[derive(Default)]
pub struct HeldBlocks {
    blocks: BTreeMap<usize, Held>,
    bytes: usize,
}

struct Held {
    block: Arc<LentBlock>,
    /// Messages that are not settled.
    messages: usize,
}

impl HeldBlocks {
    /// Holds a block for one more message with this value, until it is released. False if the block is not held: the value
    /// is no part of it, too many bytes are held already, or most of its storage is empty, as that of a slow pipe's.
    pub fn hold(&mut self, block: &Arc<LentBlock>, value: &[u8]) -> bool {
        let bytes = block.bytes();
        if !bytes.as_ptr_range().contains(&value.as_ptr()) || value.as_ptr_range().end > bytes.as_ptr_range().end {
            return false;
        }
        let address = bytes.as_ptr() as usize;
        if let Some(held) = self.blocks.get_mut(&address) {
            held.messages += 1;
            return true;
        }
        let storage = block.storage_len();
        if bytes.len() < storage / 2 || !self.blocks.is_empty() && self.bytes + storage > MOST_BYTES {
            return false;
        }
        self.bytes += storage;
        self.blocks.insert(address, Held { block: block.clone(), messages: 1 });
        true
    }

    /// A message with this value is settled. Nothing happens if the value was copied.
    pub fn release(&mut self, value: &[u8]) {
        let Some((&address, held)) = self.blocks.range_mut(..=value.as_ptr() as usize).next_back() else { return };
        if !held.block.bytes().as_ptr_range().contains(&value.as_ptr()) {
            return;
        }
        held.messages -= 1;
        if held.messages == 0 {
            self.bytes -= held.block.storage_len();
            self.blocks.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kuu_core::lines::Block;

    fn block(bytes: usize) -> Arc<LentBlock> {
        Arc::new(Block::new(vec![b'x'; bytes], 1).into())
    }

    #[test]
    fn a_block_is_held_until_its_last_message_is_settled() {
        let (mut held, block) = (HeldBlocks::default(), block(10));
        assert!(held.hold(&block, &block.bytes()[..5]) && held.hold(&block, &block.bytes()[5..]));
        assert_eq!((held.bytes, held.blocks.len(), Arc::strong_count(&block)), (10, 1, 2));
        held.release(&block.bytes()[5..]);
        assert_eq!((held.bytes, held.blocks.len(), Arc::strong_count(&block)), (10, 1, 2));
        held.release(&block.bytes()[..5]);
        assert_eq!((held.bytes, held.blocks.len(), Arc::strong_count(&block)), (0, 0, 1));
    }

    #[test]
    fn values_elsewhere_are_neither_held_nor_released() {
        let (mut held, one, other) = (HeldBlocks::default(), block(10), block(10));
        assert!(!held.hold(&one, other.bytes()));
        assert!(!held.hold(&one, b"elsewhere"));
        assert!(held.hold(&one, &one.bytes()[9..]));
        held.release(other.bytes());
        held.release(b"elsewhere");
        assert_eq!((held.bytes, held.blocks.len()), (10, 1));
    }

    #[test]
    fn storage_counts_and_must_be_used() {
        let part = |bytes: usize| {
            let mut block = Block::default();
            block.storage(100).fill(b'x');
            block.fill(0, bytes, 1);
            Arc::new(LentBlock::from(block))
        };
        let (mut held, enough, little) = (HeldBlocks::default(), part(50), part(49));
        assert!(held.hold(&enough, enough.bytes()) && !held.hold(&little, little.bytes()));
        assert_eq!(held.bytes, 100);
        held.release(enough.bytes());
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn no_more_bytes_are_held_than_is_said() {
        let (mut held, first, second, third) = (HeldBlocks::default(), block(MOST_BYTES - 1), block(1), block(1));
        assert!(held.hold(&first, first.bytes()) && held.hold(&second, second.bytes()));
        assert!(!held.hold(&third, third.bytes()));
        held.release(second.bytes());
        assert!(held.hold(&third, third.bytes()));
        let (mut held, large) = (HeldBlocks::default(), block(MOST_BYTES + 1));
        assert!(held.hold(&large, large.bytes()), "one block may be larger");
    }
}
