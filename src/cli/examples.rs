//! Examples at the end of each command's help, and what its words mean.

pub const WORDS: &str = "\
Examples:
  kuu produce fixtures/stream.jsonl.gz    the frames of a file, to topic messages
  kuu count                               their users per window, to topic output
  kuu verify                              whether that is right
  kuu count --help                        the options of a command, and its examples

Words: the truth is the exact count of the frames, made offline by code that shares nothing with the count. The first \
answer of a window is the result that goes out when it closes; a frame that comes later corrects it. The ceiling of a \
figure is what the same machine does in the same run without the work in question.

Settings: an option wins over the file of --config, which wins over the environment (KUU_BROKERS).

Exit status: 0 fine; 1 the answer is wrong; 2 usage, input or environment error; 3 performance regression; 4 inconclusive \
measurement; 5 the load generator could not hold its schedule; 130 interrupted, after an orderly stop.";

pub const OUTPUT: &str = "\
Examples:
  kuu output                                      a table of the windows in topic output, each as its last row has it
  kuu output --follow                             the table, then a line for each result as it comes
  kuu output --json | jq .users                   a JSON line for each window
  kuu output -t totals --start-field window_start --users-field cnt --start-format ms

The first answer of a window is its result at revision 0, or its first row; `change` is what corrections added to it.";

pub const PRODUCE: &str = "\
Examples:
  kuu produce fixtures/stream.jsonl.gz                 as fast as it goes, to topic messages
  zcat frames.gz | kuu produce - --topic clicks        from another program
  kuu produce frames.jsonl --rate 5000 --for 10min     a steady load: the file again and again
  kuu produce --workload late --recreate               frames with a trouble and a known answer";

pub const COUNT: &str = "\
Examples:
  kuu count                                    topic messages to topic output, to its present end
  kuu count --follow --window second,minute    goes on until Ctrl-C; a restart resumes
  kuu count --follow --close-idle 1min         closes the last windows, too, if nothing comes for a minute
  kuu count frames.jsonl.gz                    a file, to standard output
  kuu count --uid /event/user/id --uid-type any --ts /at --ts-format rfc3339

A window's first answer goes out when the watermark reaches its end. The watermark is the greatest time seen in a \
partition less --lateness, and over all partitions the least of these. A frame that comes later corrects the window, up \
to --retention after its end. So the last window of a topic that is followed closes when a later frame comes, or after \
--close-idle without any.";

pub const VERIFY: &str = "\
Examples:
  kuu verify                                                    what was counted last
  kuu verify frames.jsonl.gz --topic clicks --output users      another program's results
  kuu verify --start-field window_start --users-field cnt --start-format ms

The truth is the exact count of the frames, made offline by code that shares nothing with the count. The first answer of \
a window is its result at revision 0, or its first row; `error` is how far that was from the truth.";

pub const BATCH: &str = "\
Examples:
  kuu batch fixtures/stream.jsonl.gz --window hour,day
  kuu batch frames.jsonl --check frames.jsonl.truth.jsonl    with what kuu generate wrote beside it";

pub const BENCH: &str = "\
Examples:
  kuu bench fixtures/stream.jsonl.gz                         on the embedded broker
  kuu bench frames.jsonl --brokers localhost:9092            on Apache Kafka
  kuu bench frames.jsonl --assert 'result.p99 < 25ms' --assert 'count.share > 0.5'
  kuu bench frames.jsonl --against ../before/target/release/kuu

The ceiling of a phase is what the same machine does in the same run without the work in question: `count` beside \
reading alone, `produce` beside sending alone, `batch` beside inflating alone.";

pub const GENERATE: &str = "\
Examples:
  kuu generate --frames 1000000 --users 100000 -o frames.jsonl.gz
  kuu generate --size 2GB --frame-bytes 200 --skew 1 --seed 7 -o frames.jsonl
  kuu generate --workload leap-day -o leap-day.jsonl

The truth about the frames is written beside them, as NAME.truth.jsonl: from what each was meant to say, not by parsing.";

pub const ENGINES: &str = "\
Examples:
  kuu engines                          what there is, and what is missing
  kuu engines build python go          builds two of them, once a version
  kuu engines --engines my-engines     your own (docs/engines.md)";

pub const RACE: &str = "\
Examples:
  kuu race --scorecard kuu python --workload late --workload aborted -b localhost:9092
  kuu race kuu go kuu frames.jsonl --quick -b localhost:9092
  kuu race kuu go frames.jsonl --rate 20000 -b localhost:9092
  kuu race kuu go frames.jsonl --sustain -b localhost:9092";

pub const FORMATS: &str = "\
Examples:
  kuu formats frames.jsonl.gz                              on the embedded broker
  kuu formats frames.jsonl.gz -b localhost:9092 --json     on Kafka; the record to standard output
  kuu formats frames.jsonl.gz --no-kafka --rounds 20       in memory only

A build of kuu has it by cargo build --release --features formats. A row's times are those of one thread. Writing begins \
with the values of a frame in memory, and ends with batches as kuu produce makes them. Ratios are to JSON as it came, with \
the same compression, in the same run.";

pub const COMPARE: &str = "\
Examples:
  kuu compare old.json new.json
  kuu compare 'old/bench-*.json' 'new/bench-*.json' --export-markdown table.md";

pub const REPORT: &str = "\
Examples:
  kuu report results/bench.json -o report.html             a page that needs nothing else
  kuu report before.json after.json -o report.html         two records side by side
  kuu report 'results/race-*.json' --export csv            all samples, for other tools";

pub const RESULTS: &str = "\
Examples:
  kuu results                what the directory holds
  kuu results --prune 20     keeps the newest 20 of each command
  kuu results --schema       the JSON Schema of a record";

pub const COMPLETIONS: &str = "\
Examples:
  kuu completions bash > ~/.local/share/bash-completion/completions/kuu
  kuu completions zsh > ~/.zfunc/_kuu
  kuu completions fish > ~/.config/fish/completions/kuu.fish";

pub const MAN: &str = "\
Examples:
  kuu man count | man -l -
  kuu man --dir ~/.local/share/man/man1";
