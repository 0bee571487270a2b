//! How the rows of a topic of results are read.

use super::values::described;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use kuu_frame::TsFormat;

/// The options of every command that reads rows.
#[derive(Clone, Debug, Args)]
pub struct RowArgs {
    /// The member of a row that holds the start of its window
    #[arg(long, default_value = "start", value_parser = NonEmptyStringValueParser::new(), value_name = "NAME")]
    pub start_field: String,
    /// The member of a row that holds the number of users
    #[arg(long, default_value = "users", value_parser = NonEmptyStringValueParser::new(), value_name = "NAME")]
    pub users_field: String,
    /// How rows write starts [default: Unix seconds or RFC 3339]
    #[arg(long, value_parser = described::<TsFormat>(), value_name = "FORMAT")]
    pub start_format: Option<TsFormat>,
}
