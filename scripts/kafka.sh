#!/usr/bin/env bash
# Apache Kafka from Maven Central jars, one node, without Docker; see usage() below.
set -euo pipefail

readonly version=4.1.1
readonly log4j_version=2.24.3 # the release that Kafka 4.1.1 itself depends on
readonly ready_seconds=120    # a broker that was killed first waits for its old session to end (9 s) and checks its data
readonly term_seconds=20

here=$(cd -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")" && pwd)
readonly here
# shellcheck source=scripts/kafka/jars.sh
source "$here/kafka/jars.sh"
# shellcheck source=scripts/kafka/security.sh
source "$here/kafka/security.sh"

usage() {
    cat <<EOF
Run one Apache Kafka $version broker (KRaft, no ZooKeeper) on localhost, with its files in one directory.

Usage: scripts/kafka.sh start [--secure] | stop | status [--port PORT] [--dir DIR]

  start   start the broker and return when it serves; does nothing if it already runs
  stop    stop it; its data stay in DIR for the next start
  status  say whether it runs, and where

  --secure     clients must use TLS and a password (SCRAM-SHA-512 or PLAIN), and may do what an ACL allows;
               start writes ready-made files for --config of kuu, which hold passwords made for DIR:
                 DIR/client.properties    user kuu, with the ACLs that kuu needs
                 DIR/plain.properties     the same user by PLAIN
                 DIR/reader.properties    user reader, with those that \`kuu verify\` needs
                 DIR/stranger.properties  user stranger, without any ACL
                 DIR/admin.properties     user admin, who may do everything, for Kafka's own (Java) tools
  --port PORT  port for clients; the controller takes PORT + 1 [default: KUU_KAFKA_PORT, else 9092]
  --dir DIR    data, server.log, kafka.pid and kafka.properties [default: .kafka in the project]
  --help       print this

A second broker beside the first needs another --port (two apart or more) and another --dir.
DIR may be deleted while the broker is stopped: the next start is a new, empty broker.
The first start fetches 54 MB from Maven Central into \${XDG_CACHE_HOME:-~/.cache}/kuu/kafka-$version.

Exit status: 0 fine (stop: or nothing ran); 1 the broker did not start or stop; 2 usage or environment
error; 3 status: no broker serves from DIR.
EOF
}

say() { printf '%s\n' "$*"; }

die() { # STATUS MESSAGE
    printf 'kafka.sh: %s\n' "$2" >&2
    exit "$1"
}

usage_error() { die 2 "$1; see scripts/kafka.sh --help"; }

parse_arguments() {
    command='' port='' dir='' secure=''
    while (($#)); do
        case $1 in
        -h | --help) usage && exit 0 ;;
        --port=* | --dir=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --port | --dir)
            [[ -n ${2-} ]] || usage_error "$1 needs a value"
            if [[ $1 == --port ]]; then port=$2; else dir=$2; fi
            shift
            ;;
        --secure) secure=yes ;;
        start | stop | status)
            [[ -z $command ]] || usage_error "give one of start, stop and status, not '$command' and '$1'"
            command=$1
            ;;
        *) usage_error "'$1' is not understood: give start, stop or status, then --secure, --port PORT or --dir DIR" ;;
        esac
        shift
    done
    [[ -n $command ]] || usage_error "say what to do: start, stop or status"
    [[ -z $secure || $command == start ]] || usage_error "--secure goes with start, not with $command"
    [[ $command != start ]] || port=${port:-${KUU_KAFKA_PORT-}}
    if [[ -n $port ]]; then
        if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65534)); then
            usage_error "--port (or KUU_KAFKA_PORT) '$port' must be a number from 1 to 65534"
        fi
        port=$((10#$port))
    fi
    [[ -n $dir ]] || dir=$here/../.kafka
    dir=$(realpath -m -- "$dir")
}

check_environment() {
    if [[ ! -e /proc/self/cmdline ]] || ! command -v setsid >/dev/null || ! command -v flock >/dev/null; then
        die 2 "needs Linux with setsid and flock (Debian: apt-get install util-linux); elsewhere use: docker compose up --wait"
    fi
    [[ -n ${XDG_CACHE_HOME:-${HOME-}} ]] || die 2 "set HOME or XDG_CACHE_HOME: Kafka's jars are kept there"
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/kuu/kafka-$version
}

# ---- what runs -----------------------------------------------------------------------------------

listening() { # PORT: whether any process listens on it, on any address
    local hex
    printf -v hex '%04X' "$1"
    grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6
}

is_broker() { # PID: whether it is the Java process that this script started for $dir
    grep -Fxzqs -- "-Dkuu.kafka.dir=$dir" "/proc/$1/cmdline" && grep -Fxzqs -- kafka.Kafka "/proc/$1/cmdline"
}

find_broker() { # sets pid and running_port, or fails; a stale or damaged pid file counts as none
    pid='' running_port=''
    if [[ -f $dir/kafka.pid ]]; then pid=$(<"$dir/kafka.pid"); fi
    [[ $pid =~ ^[0-9]+$ ]] && is_broker "$pid" || return 1
    running_port=$(sed -n 's/^# port //p' "$dir/kafka.properties")
}

lock_dir() { # one start or stop at a time; the lock goes with this process
    exec {lock}>"$dir/lock" || die 2 "cannot write in $dir: give another --dir"
    flock -w $((ready_seconds + 30)) "$lock" ||
        die 1 "another kafka.sh has been busy with $dir for long: end it, then try again"
}

taken() { # PORT: whether another program has it; a broker of $dir that was just killed gets 5 s to let go of it
    local tries=1
    if [[ -f $dir/kafka.pid ]]; then tries=50; fi
    while listening "$1"; do
        ((--tries)) || return 0
        sleep 0.1
    done
    return 1
}

terminate() { # PID PORT
    local deadline=$((SECONDS + term_seconds)) killed=''
    kill -TERM "$1" 2>/dev/null || true
    while is_broker "$1" || listening "$2"; do # a killed process keeps its port a little longer than its command line
        if ((SECONDS >= deadline)); then
            [[ -z $killed ]] || die 1 "cannot end pid $1 on port $2: is it another user's?"
            say "kafka.sh: pid $1 still runs $term_seconds s after TERM: sending KILL" >&2
            kill -KILL "$1" 2>/dev/null || true
            killed=yes deadline=$((SECONDS + 5))
        fi
        sleep 0.1
    done
    rm -f -- "$dir/kafka.pid"
}

# ---- the broker ----------------------------------------------------------------------------------

# Who may connect and how.
listener_properties() {
    local controller=$((port + 1)) protocol=${secure:+SASL_SSL} v6='' v6_advertised=''
    protocol=${protocol:-PLAINTEXT}
    if grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then # clients may try ::1 first for localhost
        v6=",CLIENTS6://[::1]:$port" v6_advertised=",CLIENTS6://localhost:$port"
    fi
    cat <<EOF
listeners=CLIENTS://127.0.0.1:$port$v6,CONTROLLER://127.0.0.1:$controller
advertised.listeners=CLIENTS://localhost:$port$v6_advertised
listener.security.protocol.map=CLIENTS:$protocol,CLIENTS6:$protocol,CONTROLLER:$protocol
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
controller.quorum.voters=1@localhost:$controller
EOF
}

write_configuration() { # docker-compose.yml has the same settings: change both
    {
        cat <<EOF
# Written by kafka.sh at every start.
# port $port
process.roles=broker,controller
node.id=1
log.dirs=data
EOF
        listener_properties
        if [[ -n $secure ]]; then security_properties; fi
        cat <<EOF
num.partitions=4
# Frames carry old event times, and what kuu verifies must not expire under it.
log.retention.ms=-1
# One node: no replicas. Few internal partitions: a fast start and a fast first commit.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
EOF
    } >"$dir/kafka.properties"
    cat >"$dir/log4j2.properties" <<EOF
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
# It says "Kafka Server started".
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
EOF
}

run_java() { # ARGUMENT...: in place of this subshell, in $dir, detached, with $dir's log as its only open file
    cd -- "$dir"
    exec </dev/null >>server.log 2>&1
    local fd
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        if ((fd > 2)); then eval "exec $fd>&-"; fi
    done
    exec setsid "$java" -cp "$cache/*" -Dlog4j2.configurationFile=log4j2.properties -Djava.awt.headless=true "$@"
}

format_storage() {
    if [[ -f $dir/data/meta.properties ]]; then return; fi
    local id
    id=$(head -c 16 /dev/urandom | base64 | tr -d '=' | tr '+/' '-_')
    { # in a file: everybody sees what stands on a command line
        say "kafka.tools.StorageTool format --cluster-id=$id -c kafka.properties"
        if [[ -n $secure ]]; then
            local user
            for user in "${users[@]}"; do say "--add-scram SCRAM-SHA-512=[name=$user,password=$(password "$user")]"; done
        fi
    } >"$dir/format.arguments"
    (run_java -XX:TieredStopAtLevel=1 @format.arguments) || fail "could not format $dir/data"
    rm -- "$dir/format.arguments"
}

fail() { # MESSAGE; clean_up ends what was started
    tail -n 20 -- "$dir/server.log" >&2
    die 1 "$1 (above is the end of $dir/server.log)"
}

# Heap and collector as in Kafka's own kafka-server-start.sh.
launch() {
    (run_java -Dkuu.kafka.dir="$dir" -Xms1g -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
        -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent kafka.Kafka kafka.properties) &
    launched=$!
    say "$launched" >"$dir/kafka.pid"
}

wait_until_ready() { # PID PORT
    local deadline=$((SECONDS + ready_seconds))
    until grep -qsF 'Kafka Server started' "$dir/server.log" && listening "$2"; do
        kill -0 "$1" 2>/dev/null || fail "the broker ended while it started"
        ((SECONDS < deadline)) || fail "the broker does not serve after $ready_seconds s"
        sleep 0.1
    done
}

clean_up() { # whatever ends this script, it leaves no half-started broker and no half-made cache
    trap '' INT TERM HUP
    if [[ -n $work ]]; then rm -rf -- "$work"; fi
    if [[ -n $launched ]]; then
        kill -KILL "$launched" 2>/dev/null || true
        wait "$launched" 2>/dev/null || true
        rm -f -- "$dir/kafka.pid"
    fi
}

# ---- the commands --------------------------------------------------------------------------------

start() {
    mkdir -p -- "$dir" || die 2 "cannot make $dir: give another --dir"
    lock_dir
    check_security
    if find_broker; then
        [[ -z $port || $port == "$running_port" ]] ||
            die 2 "the broker of $dir already runs, on port $running_port: stop it first, or give another --dir for a second broker"
        wait_until_ready "$pid" "$running_port"
        say "already running: Apache Kafka $version on localhost:$running_port (pid $pid, $dir)"
        return
    fi
    port=${port:-9092}
    local needed
    for needed in "$port" $((port + 1)); do
        ! taken "$needed" ||
            die 2 "port $needed is taken by another program (Kafka needs $port for clients, $((port + 1)) for its controller): give another --port, or end that program"
    done
    find_java
    fetch_jars
    if [[ -n $secure ]]; then
        umask 077
        make_secrets
    fi
    write_configuration
    if [[ -f $dir/server.log ]]; then mv -- "$dir/server.log" "$dir/server.log.1"; fi
    format_storage
    launch
    wait_until_ready "$launched" "$port"
    if [[ -n $secure ]]; then grant; fi
    say "started: Apache Kafka $version on localhost:$port (pid $launched, $dir)"
    if [[ -n $secure ]]; then say "for clients: --config $dir/client.properties"; fi
    launched=''
}

stop() {
    if [[ ! -e $dir/lock ]]; then
        say "nothing to stop: no broker was ever started in $dir"
        return
    fi
    lock_dir
    if ! find_broker; then
        rm -f -- "$dir/kafka.pid"
        say "nothing to stop: no broker runs in $dir"
        return
    fi
    [[ -z $port || $port == "$running_port" ]] ||
        die 2 "the broker of $dir runs on port $running_port, not $port: leave --port out, or give the --dir of the other broker"
    terminate "$pid" "$running_port"
    say "stopped: pid $pid on localhost:$running_port; its data stay in $dir"
}

status() {
    if ! find_broker; then
        say "not running: $dir"
        exit 3
    elif [[ -n $port && $port != "$running_port" ]]; then
        say "not on port $port: the broker of $dir runs on port $running_port (pid $pid)"
        exit 3
    elif ! listening "$running_port"; then
        say "not ready: pid $pid does not listen on port $running_port yet ($dir)"
        exit 3
    fi
    say "running: pid $pid, port $running_port, $dir"
}

parse_arguments "$@"
check_environment
work='' launched=''
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$command"
