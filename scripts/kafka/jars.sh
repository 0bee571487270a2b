# Part of kafka.sh: finds Java, and fetches Kafka's jars into a cache.
# shellcheck shell=bash disable=SC2154 # its variables are those of kafka.sh

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
