//! Compression of a batch's records, as kuu's producer (librdkafka) has it when no level is set.

use crate::error::FormatError;
use kuu_core::configuration::Compression;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::{Read as _, Write as _};
use zstd::bulk::{Compressor, Decompressor};

/// The level of zstd: librdkafka's default.
pub const ZSTD_LEVEL: i32 = 3;

/// The size of lz4's blocks, which are independent: librdkafka's default.
pub const LZ4_BLOCK_BYTES: usize = 64 << 10;

/// Compresses the records of batches, with its scratch memory.
pub struct Packer(Kind);

enum Kind {
    Plain,
    Lz4,
    Zstd(Compressor<'static>, Decompressor<'static>),
}

impl Packer {
    /// The compressions that a packer knows.
    pub const KNOWN: [Compression; 3] = [Compression::None, Compression::Lz4, Compression::Zstd];

    /// A packer of this compression.
    ///
    /// # Errors
    /// If it is none of [`Packer::KNOWN`].
    pub fn new(compression: Compression) -> Result<Packer, FormatError> {
        Ok(Packer(match compression {
            Compression::None => Kind::Plain,
            Compression::Lz4 => Kind::Lz4,
            Compression::Zstd => {
                let compressor = Compressor::new(ZSTD_LEVEL).map_err(FormatError::of)?;
                Kind::Zstd(compressor, Decompressor::new().map_err(FormatError::of)?)
            }
            other => return Err(FormatError::Library(format!("{other} is not measured"))),
        }))
    }

    /// Compresses records; `packed` becomes the result.
    ///
    /// # Errors
    /// If the library fails.
    pub fn pack(&mut self, records: &[u8], packed: &mut Vec<u8>) -> Result<(), FormatError> {
        packed.clear();
        match &mut self.0 {
            Kind::Plain => packed.extend_from_slice(records),
            Kind::Lz4 => {
                let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
                let mut encoder = FrameEncoder::with_frame_info(info, packed);
                encoder.write_all(records).map_err(FormatError::of)?;
                encoder.finish().map_err(FormatError::of)?;
            }
            Kind::Zstd(compressor, _) => {
                packed.reserve(zstd::zstd_safe::compress_bound(records.len()));
                compressor.compress_to_buffer(records, packed).map_err(FormatError::of)?;
            }
        }
        Ok(())
    }

    /// Inflates what [`Packer::pack`] wrote; `records` becomes the result.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn unpack(&mut self, packed: &[u8], records: &mut Vec<u8>) -> Result<(), FormatError> {
        records.clear();
        match &mut self.0 {
            Kind::Plain => records.extend_from_slice(packed),
            Kind::Lz4 => _ = FrameDecoder::new(packed).read_to_end(records).map_err(FormatError::of)?,
            Kind::Zstd(_, decompressor) => {
                let size = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
                let size = size.and_then(|size| usize::try_from(size).ok()).ok_or(FormatError::TooShort)?;
                records.reserve(size);
                decompressor.decompress_to_buffer(packed, records).map_err(FormatError::of)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let records = b"{\"uid\":\"a\",\"ts\":1}".repeat(10_000);
        let (mut packed, mut unpacked) = (Vec::new(), vec![1, 2, 3]);
        for (compression, most) in Packer::KNOWN.into_iter().zip([records.len(), 5_000, 500]) {
            let mut packer = Packer::new(compression).unwrap();
            for part in [&records[..], &[]] {
                packer.pack(part, &mut packed).unwrap();
                packer.unpack(&packed, &mut unpacked).unwrap();
                assert!(unpacked == part, "{compression}");
                assert!(packed.len() <= most, "{compression}: {} bytes", packed.len());
            }
            assert!(compression == Compression::None || packer.unpack(&packed[..3], &mut unpacked).is_err());
        }
        assert!(Packer::new(Compression::Snappy).is_err());
    }
}
