#!/usr/bin/env bash
# Apache Kafka from Maven Central jars, one node, without Docker; see usage() below.
set -euo pipefail

readonly version=4.1.1
readonly log4j_version=2.24.3 # the release that Kafka 4.1.1 itself depends on
readonly ready_seconds=120    # a broker that was killed first waits for its old session to end (9 s) and checks its data
readonly term_seconds=20

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
  --port PORT  port for clients; the controller takes PORT + 1 [default: 9092]
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
    if [[ -n $port ]]; then
        if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65534)); then
            usage_error "--port '$port' must be a number from 1 to 65534"
        fi
        port=$((10#$port))
    fi
    [[ -n $dir ]] || dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)/.kafka
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

# ---- the jars ------------------------------------------------------------------------------------

find_java() {
    java=${JAVA_HOME:+$JAVA_HOME/bin/}java
    local remedy="Kafka $version needs Java 17 or later: install it (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
    command -v "$java" >/dev/null || die 2 "found no $java. $remedy"
    local answer
    answer=$("$java" -version 2>&1) || die 2 "'$java -version' failed. $remedy"
    if ! [[ $answer =~ version\ \"([0-9]+) ]] || ((BASH_REMATCH[1] < 17)); then
        die 2 "$java is ${answer%%$'\n'*}. $remedy"
    fi
}

pom() {
    cat <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kuu</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$log4j_version</version></dependency>
  </dependencies>
</project>
EOF
}

cache_is_whole() {
    [[ -f $cache/pom.xml && "$(<"$cache/pom.xml")" == "$(pom)" ]] &&
        (cd -- "$cache" && sha256sum --quiet --check SHA256SUMS) &>/dev/null
}

fetch_jars() { # into $cache, all or nothing
    if cache_is_whole; then return; fi
    mkdir -p -- "${cache%/*}" || die 2 "cannot write in ${cache%/*}: set XDG_CACHE_HOME"
    local cache_lock
    exec {cache_lock}>"$cache.lock"
    flock "$cache_lock"
    if ! cache_is_whole; then # nor did another kafka.sh fetch it while this one waited
        command -v mvn >/dev/null ||
            die 2 "found no mvn, which fetches Kafka's jars: install Maven (Debian: apt-get install maven)"
        if [[ -e $cache ]]; then
            say "kafka.sh: $cache is damaged or of another make: fetching it again" >&2
        fi
        say "kafka.sh: fetching Apache Kafka $version from Maven Central into $cache (54 MB, once)" >&2
        rm -rf -- "$cache".?????? # of a kafka.sh that was killed
        work=$(mktemp -d -- "$cache.XXXXXX")
        mkdir -- "$work/new"
        pom >"$work/new/pom.xml"
        mvn -B -ntp -f "$work/new/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
            -DincludeScope=runtime -DoutputDirectory="$work/new" &>"$work/mvn.log" </dev/null || {
            tail -n 15 -- "$work/mvn.log" >&2
            die 2 "Maven could not fetch the jars (its last words are above): check that it reaches Maven Central, then try again"
        }
        (cd -- "$work/new" && sha256sum -- *.jar >SHA256SUMS)
        if [[ -e $cache ]]; then mv -T -- "$cache" "$work/old"; fi
        mv -T -- "$work/new" "$cache"
        rm -rf -- "$work"
    fi
    exec {cache_lock}>&-
}

# ---- security ------------------------------------------------------------------------------------

readonly users=(admin kuu reader stranger)

password() { # USER
    sed -n "s/^$1 //p" "$dir/passwords"
}

check_security() { # what DIR holds stays what it was made as
    [[ -d $dir/data ]] || return 0
    if [[ -n $secure ]]; then
        [[ -f $dir/passwords ]] ||
            die 2 "the broker of $dir was made without --secure: leave it out, give another --dir, or delete $dir"
    elif [[ -f $dir/passwords ]]; then
        die 2 "the broker of $dir was made with --secure: add it, give another --dir, or delete $dir"
    fi
}

# Passwords, a CA, a certificate for localhost by that CA, and files for clients. They last as long as DIR.
make_secrets() {
    command -v openssl >/dev/null || die 2 "found no openssl, which makes the certificates: install it (Debian: apt-get install openssl)"
    if [[ ! -d $dir/data ]]; then
        rm -f -- "$dir/granted"
        local user
        for user in "${users[@]}"; do say "$user $(openssl rand -hex 16)"; done >"$dir/passwords"
        make_certificates &>"$dir/openssl.log" || {
            cat -- "$dir/openssl.log" >&2
            die 1 "openssl could not make the certificates (its words are above)"
        }
    fi
    client_properties kuu SCRAM-SHA-512 >"$dir/client.properties"
    client_properties kuu PLAIN >"$dir/plain.properties"
    client_properties reader SCRAM-SHA-512 >"$dir/reader.properties"
    client_properties stranger SCRAM-SHA-512 >"$dir/stranger.properties"
    cat >"$dir/admin.properties" <<EOF
# User admin, for Kafka's own tools. Written by kafka.sh at every start.
bootstrap.servers=localhost:$port
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=$dir/ca.pem
sasl.mechanism=PLAIN
sasl.jaas.config=$(plain_login);
EOF
}

make_certificates() (
    cd -- "$dir"
    key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    openssl req -x509 "${key[@]}" -keyout ca.key -out ca.pem -days 3650 -subj "/CN=kuu test CA" \
        -addext keyUsage=critical,keyCertSign,cRLSign
    openssl req "${key[@]}" -keyout server.key -out server.csr -subj /CN=localhost
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 3650 \
        -extfile <(say subjectAltName=DNS:localhost)
    cat server.key server.crt >server.pem
    rm -- ca.key ca.srl server.key server.csr server.crt # nobody needs a second certificate
)

client_properties() { # USER MECHANISM
    cat <<EOF
# User $1 by $2, for \`kuu --config\`. Written by kafka.sh at every start.
bootstrap.servers=localhost:$port
security.protocol=sasl_ssl
ssl.ca.location=$dir/ca.pem
sasl.mechanism=$2
sasl.username=$1
sasl.password=$(password "$1")
EOF
}

plain_login() {
    printf '%s required username="admin" password="%s"' org.apache.kafka.common.security.plain.PlainLoginModule "$(password admin)"
}

security_properties() {
    local listener user known=''
    for user in "${users[@]}"; do known+=" user_$user=\"$(password "$user")\""; done
    cat <<EOF
ssl.keystore.type=PEM
ssl.keystore.location=server.pem
ssl.truststore.type=PEM
ssl.truststore.location=ca.pem
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:admin
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$(plain_login) user_admin="$(password admin)";
EOF
    for listener in clients clients6; do
        cat <<EOF
listener.name.$listener.plain.sasl.jaas.config=$(plain_login)$known;
listener.name.$listener.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
EOF
    done
}

# What kuu needs, and no more; the README has the same as a table.
grant() {
    if [[ -f $dir/granted ]]; then return; fi
    local topics=(--topic messages --topic output --topic kuu) waiting=() pid
    allow reader "${topics[@]}" --operation Read & waiting+=($!)
    allow kuu "${topics[@]}" --operation Read & waiting+=($!)
    allow kuu --group kuu --operation Read --operation Delete & waiting+=($!)
    allow kuu "${topics[@]}" --transactional-id kuu --operation Write --operation Describe & waiting+=($!)
    allow kuu "${topics[@]}" --operation Create --operation Delete --operation DescribeConfigs & waiting+=($!)
    for pid in "${waiting[@]}"; do wait "$pid" || fail "could not give the users their ACLs"; done
    : >"$dir/granted"
}

allow() { # USER RESOURCE AND OPERATION...: for all names that start so
    (run_java -XX:TieredStopAtLevel=1 org.apache.kafka.tools.AclCommand --bootstrap-server "localhost:$port" \
        --command-config admin.properties --add --resource-pattern-type prefixed --allow-principal "User:$1" "${@:2}")
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
