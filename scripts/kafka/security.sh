# Part of kafka.sh: TLS, passwords and ACLs of a broker that is started with --secure.
# shellcheck shell=bash disable=SC2154 # its variables are those of kafka.sh

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
    cd -- "$dir" || exit
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

# What kuu needs, and no more; docs/security.md has the same as a list.
grant() {
    if [[ -f $dir/granted ]]; then return; fi
    local topics=(--topic messages --topic output --topic kuu) waiting=() pid
    allow reader "${topics[@]}" --operation Read & waiting+=($!)
    # A group of the tests, in which a count gets as far as its first write.
    allow reader --group kuu-read --operation Read --operation Delete & waiting+=($!)
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
