//! What an engine claims, each with its word in the descriptor. The first one is the default.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// Declares an enum of claims, each with its word in the file.
macro_rules! claims {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $value:ident,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr, VariantArray,
        )]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum $name {
            $($(#[$about])* $value,)+
        }
    };
}

claims! {
    /// When an engine ends.
    Ends {
        /// By itself, at the offsets in KUU_INPUT_END.
        #[default]
        Itself,
        /// When it is stopped.
        Never,
    }
}

claims! {
    /// What an engine writes.
    Emits {
        /// One result of a window, and corrections if it has any.
        #[default]
        Final,
        /// Every change of an open window.
        Updates,
    }
}

claims! {
    /// What an engine does with frames that come after the first result of their window.
    Late {
        /// It leaves them out.
        #[default]
        Drops,
        /// It writes a new result.
        Corrects,
    }
}

claims! {
    /// Which partition sets the watermark of an engine.
    ClaimedWatermark {
        /// The one that is furthest behind.
        #[default]
        Least,
        /// The one that is furthest ahead.
        Greatest,
    }
}

claims! {
    /// How an engine counts users.
    Distinct {
        /// Each once.
        #[default]
        Exact,
        /// By an estimate, with `rsd`.
        Approximate,
    }
}

claims! {
    /// What a crash may do to the results of an engine.
    ClaimedGuarantee {
        /// Frames are counted, and some results are written again.
        #[default]
        AtLeastOnce,
        /// Nothing.
        ExactlyOnce,
        /// Whatever happens.
        None,
    }
}

claims! {
    /// How an engine writes results.
    OutputFormat {
        /// An object with `start` and `users`.
        #[default]
        Rows,
        /// The same by key; a null value deletes the window of its key.
        Upsert,
        /// The envelope of Debezium.
        Debezium,
    }
}

claims! {
    /// Which brokers an engine can use.
    Brokers {
        /// The embedded one, too.
        #[default]
        Any,
        /// Apache Kafka only.
        Kafka,
    }
}
