//! Runs the built binary: with files, with an embedded broker in this process, and (ignored by default) with real
//! Kafka. The tests declare the wire types again, so that a change of format cannot go unnoticed.

#![allow(clippy::print_stderr, clippy::print_stdout)]

mod architecture;

mod bench {
    mod against;
    mod compare;
    mod gate;
    mod measure;
}

mod command_line {
    mod records;
    mod refusal;
    mod robust;
    mod screen;
    mod security;
    mod usage;
}

mod count {
    mod dying;
    mod follow;
    mod history;
    mod identity;
    mod lengths;
    mod letters;
    mod limits;
    mod wild;
}

mod crash {
    mod case;
    mod clocks;
    mod kills;
    mod poison;
    mod recovery;
    mod topics;
}

mod generate {
    mod check;
    mod streams;
    mod workloads;
}

mod input {
    mod damage;
    mod dead_threads;
    mod files;
    mod own_frames;
    mod streams;
}

mod kafka {
    mod offsets;
    mod paths;
}

mod mutants;

mod outage {
    mod embedded;
    mod stall;
}

mod produce {
    mod appended;
    mod compacted;
    mod keys;
    mod paced;
    mod refilled;
    mod repeated;
    mod replay;
}

mod race {
    mod crashes;
    mod left_behind;
    mod listing;
    mod live;
    mod mutants;
    mod page;
    mod processes;
    mod scorecard;
    mod speed;
    mod supervised;
}

mod support {
    pub mod broker;
    pub mod frames;
    pub mod kuu;
    pub mod own_broker;
    pub mod pipe;
    pub mod start;
    pub mod topics;
    pub mod wire;
}

mod verify {
    mod folding;
    mod foreign;
    mod receipts;
    mod verdict;
}
