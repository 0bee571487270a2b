//! Runs the built binary: with files, with an embedded broker in this process, and (ignored by default) with real
//! Kafka. The tests declare the wire types again, so that a change of format cannot go unnoticed.

#![allow(clippy::print_stderr, clippy::print_stdout)]

mod architecture;

mod bench {
    mod against;
    mod compare;
    mod distinct;
    mod gate;
    mod latency;
    mod measure;
    mod sweep;
}

mod command_line {
    mod manual;
    mod properties;
    mod records;
    mod refusal;
    mod robust;
    mod screen;
    mod scripts;
    mod security;
    mod usage;
}

mod count {
    mod dying;
    mod follow;
    mod following;
    mod history;
    mod identity;
    mod lengths;
    mod letters;
    mod limits;
    mod log;
    mod metrics;
    mod sketches;
    mod wild;
}

mod crash {
    mod case;
    mod clocks;
    mod kills;
    mod poison;
    mod recovery;
    mod sketches;
    mod topics;
}

mod formats;

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

mod output {
    mod following;
    mod table;
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

mod report {
    mod formats;
    mod html_page;
    mod page;
    mod records;
    mod refused;
}

mod support {
    pub mod broker;
    pub mod frames;
    pub mod html;
    pub mod http;
    pub mod kuu;
    pub mod open_metrics;
    pub mod own_broker;
    pub mod pipe;
    pub mod proxy;
    pub mod start;
    pub mod topics;
    pub mod wire;
}

mod verify {
    mod folding;
    mod foreign;
    mod receipts;
    mod verdict;
    mod windows;
}
