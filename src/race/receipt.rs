//! What a build leaves: from what it was built, and which version came out.

use super::descriptor::Descriptor;
use super::source::{digest, hexadecimal};
use crate::system::clock::Time;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the file, in [`build_dir`].
pub const RECEIPT: &str = "receipt.json";

/// The file `.build/receipt.json` in the folder of an engine.
#[derive(Debug, Serialize, Deserialize)]
pub struct BuildReceipt {
    /// The digest of the source and of the commands.
    sha256: String,
    /// The version of the engine, if it has a command for it.
    version: Option<String>,
    /// When it was built, RFC 3339.
    built: String,
}

/// Whether an engine is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, or needs no build.
    Built,
    /// It never was.
    NotBuilt,
    /// It was, from another source or by other commands.
    Changed,
}

/// The directory of the receipt and the logs of a build, in the folder of an engine.
pub fn build_dir(engine: &Path) -> PathBuf {
    engine.join(".build")
}

/// Whether the engine in this folder is built.
///
/// # Errors
/// If its source cannot be read.
pub fn standing(dir: &Path, descriptor: &Descriptor) -> Result<Standing> {
    if descriptor.build.is_empty() {
        return Ok(Standing::Built);
    }
    let Ok(text) = fs::read(build_dir(dir).join(RECEIPT)) else { return Ok(Standing::NotBuilt) };
    // A receipt of another kuu is none.
    let Ok(receipt) = serde_json::from_slice::<BuildReceipt>(&text) else { return Ok(Standing::NotBuilt) };
    Ok(if receipt.sha256 == identity(dir, descriptor)? { Standing::Built } else { Standing::Changed })
}

impl BuildReceipt {
    /// The receipt of a build that has just ended: it may have written beside its source.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub fn new(dir: &Path, descriptor: &Descriptor, version: Option<String>) -> Result<BuildReceipt> {
        Ok(BuildReceipt { sha256: identity(dir, descriptor)?, version, built: Time::now().rfc3339() })
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let path = build_dir(dir).join(RECEIPT);
        fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// The digest of source and commands.
fn identity(dir: &Path, descriptor: &Descriptor) -> Result<String> {
    let commands = serde_json::to_vec(&(&descriptor.build, &descriptor.env))?;
    Ok(hexadecimal(&Sha256::digest([digest(dir)?.as_bytes(), &commands].concat())))
}
