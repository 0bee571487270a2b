//! Where frames have their members, and which parser reads them.

use crate::cli::values::described;
use clap::Args;
use kuu_frame::{FrameFormat, ParserKind, ParserOptions, Pointer, TsFormat, UidType};

/// The options of every command that reads frames.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Frames")]
pub struct FrameArgs {
    /// The member that names the user: a JSON Pointer as /event/user/id (RFC 6901), or a name in the root [default: /uid;
    /// of `verify`: what was counted]
    #[arg(long, value_name = "POINTER")]
    pub uid: Option<Pointer>,
    /// Its type [default: string; of `verify`: what was counted]
    #[arg(long, value_parser = described::<UidType>(), value_name = "TYPE")]
    pub uid_type: Option<UidType>,
    /// The member with the event time [default: /ts; of `verify`: what was counted]
    #[arg(long, value_name = "POINTER")]
    pub ts: Option<Pointer>,
    /// How the event time is written; what is finer than a second is cut off [default: s; of `verify`: what was counted]
    #[arg(long, value_parser = described::<TsFormat>(), value_name = "FORMAT")]
    pub ts_format: Option<TsFormat>,
    /// Which parser reads the frames
    #[arg(long, value_parser = described::<ParserKind>(), default_value_t)]
    pub parser: ParserKind,
}

impl FrameArgs {
    /// These options; those that are not given are those of `others`.
    pub fn options_or(&self, others: &FrameFormat) -> ParserOptions {
        let format = FrameFormat {
            uid: self.uid.as_ref().unwrap_or(&others.uid).clone(),
            uid_type: self.uid_type.unwrap_or(others.uid_type),
            ts: self.ts.as_ref().unwrap_or(&others.ts).clone(),
            ts_format: self.ts_format.unwrap_or(others.ts_format),
        };
        ParserOptions { kind: self.parser, format, ..ParserOptions::default() }
    }

    /// These options; those that are not given are the usual ones.
    pub fn options(&self) -> ParserOptions {
        self.options_or(&FrameFormat::default())
    }
}
