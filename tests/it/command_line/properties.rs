//! The properties of librdkafka: their list, files of Java clients, and where a value came from.

use crate::support::broker::Mock;
use crate::support::frames::{frames, lines};
use crate::support::kuu::Kuu;
use std::fs;

#[test]
fn the_list() {
    let kuu = Kuu::new();
    let list = kuu.run("-X list").exits(0);
    assert_eq!(list.err, "");
    let list = list
        .says("\nfetch.wait.max.ms=500  [consumer]  0 .. 300000\n    Maximum time the broker may wait")
        .says("    kuu sets it: 20\n")
        .says(
            "acks=-1  [producer]  -1 .. 1000\n    alias of request.required.acks\n    kuu sets it: all\n    kuu refuses all but \
             all, -1: a frame that only one broker has is lost with that broker, though it was reported as delivered\n",
        )
        .says("\n    kuu refuses it: the group is named by --group\n")
        .says("\nsasl.password=  [both]\n")
        .says("\n    kuu refuses it on the command line, as it is a secret: --config FILE\n");
    assert!(list.out.lines().filter(|line| !line.starts_with(' ')).count() > 150, "{list}");
    // With or without a command, and in every spelling.
    for line in ["count -X list", "produce -Xlist", "verify --command-property list", "--command-property=list"] {
        assert_eq!(kuu.run(line).exits(0).out, list.out, "{line}");
    }
    assert_eq!(kuu.run_into_head("-X list", 1).code, Some(0));
    kuu.run("count -X lists").exits(2).complains("write KEY=VALUE, as in -X fetch.wait.max.ms=5; -X list prints all");
}

/// What a Java client's administrator hands out.
#[test]
fn a_file_of_a_java_client() {
    let mock = Mock::new(1);
    let kuu = Kuu::bare();
    let file = kuu.file("a.jsonl", lines(&frames(30)));
    let text = format!(
        "! how to reach it\nbootstrap.servers: {}\nsecurity.protocol=PLAINTEXT\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username=\"alice\" \\\n  \
         password=\"hunter\\\\\\\\2\";\nkey.serializer=org.apache.kafka.common.serialization.StringSerializer\nmax.block.ms=1\n\
         fetch.max.wait.ms=9\nacks=all\n",
        mock.address
    );
    let config = kuu.file("client.properties", text);
    fs::set_permissions(kuu.path(&config), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let done = kuu.run(&format!("produce {file} --config {config}")).exits(0);
    assert_eq!(
        done.err,
        "kuu: client.properties: left out, as only Java clients have it: key.serializer, max.block.ms\n"
    );
    let record = kuu.record("produce");
    assert_eq!(record.config["-X sasl.username"], "alice");
    assert_eq!(record.config["-X sasl.password"], "***");
    assert_eq!(record.config["-X fetch.wait.max.ms"], "9");
    assert_eq!(record.broker.unwrap().address, mock.address);
    let text = fs::read_to_string(kuu.path("results/produce.json")).unwrap();
    assert!(!text.contains("hunter") && !text.contains("jaas") && !text.contains("serializer"), "{text}");
}

#[test]
fn what_cannot_be_translated() {
    let kuu = Kuu::new();
    for (text, words) in [
        (
            "acks=all\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required keyTab=hunter2;\n",
            "kuu: client.properties, line 2: sasl.jaas.config cannot be translated: it logs in by Kerberos: write \
             sasl.kerberos.principal and sasl.kerberos.keytab in its place",
        ),
        (
            "ssl.truststore.location=/etc/kafka/trust.jks\nssl.truststore.type=JKS\nssl.truststore.password=hunter2\n",
            "kuu: client.properties, line 1: ssl.truststore.location=/etc/kafka/trust.jks is a key store of Java, and librdkafka \
             reads PEM only: convert it with `keytool -list -rfc -keystore /etc/kafka/trust.jks > ca.pem`, which asks for \
             ssl.truststore.password, and write ssl.ca.location=ca.pem in place of the lines ssl.truststore.*",
        ),
        (
            "ssl.keystore.location=a.jks\nssl.keystore.type=JKS\nssl.keystore.password=hunter2\n",
            "`keytool -importkeystore -srckeystore a.jks -destkeystore keystore.p12 -deststoretype PKCS12`",
        ),
        ("sasl.login.callback.handler.class=a.B\n", "line 1: sasl.login.callback.handler.class is a Java class"),
        ("enable.auto.commit=true\n", "client.properties enable.auto.commit=true must not be set: kuu itself commits"),
    ] {
        let config = kuu.file("client.properties", text);
        let done = kuu.run(&format!("count --config {config}")).exits(2).complains(words);
        assert!(!done.err.contains("hunter2"), "{done}");
    }
}

#[test]
fn where_a_value_came_from() {
    let kuu = Kuu::new();
    let config = kuu.file("client.properties", "linger.ms=1\nno.such.thing=1\n");
    kuu.run(&format!("count --config {config}")).exits(2).complains(
        "kuu: client.properties, line 2: No such configuration property: \"no.such.thing\": kuu -X list has all",
    );
    let config = kuu.file("client.properties", "\nfetch.wait.max.ms=soon\n");
    kuu.run(&format!("count --config {config}")).exits(2).complains("kuu: client.properties, line 2: Invalid value");
    kuu.run("count -X fetch.wait.max.ms=soon")
        .exits(2)
        .complains("kuu: -X: Invalid value for configuration property \"fetch.wait.max.ms\"");

    let none = "no Kafka broker answers at 127.0.0.1:9 within 0.5 s";
    let timeout = "--timeout 500ms";
    kuu.run(&format!("count {timeout}"))
        .exits(2)
        .complains(none)
        .complains("\nThe address is that of the environment's KUU_BROKERS.\nStart one");
    let config = kuu.file("client.properties", "acks=all\nbootstrap.servers=127.0.0.1:9\n");
    kuu.run(&format!("count --config {config} {timeout}"))
        .exits(2)
        .complains(none)
        .complains("\nThe address is that of bootstrap.servers, client.properties, line 2.\nStart one");
    let named = kuu.run(&format!("count --config {config} --brokers 127.0.0.1:9 {timeout}")).exits(2).complains(none);
    assert!(!named.err.contains("The address is that"), "{named}");
}
