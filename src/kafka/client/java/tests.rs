use super::*;

fn file(pairs: &[(&str, &str)]) -> Vec<Property> {
    let line = |(index, (key, value)): (usize, &(&str, &str))| Property {
        key: (*key).into(),
        value: (*value).into(),
        from: "client.properties".into(),
        line: Some(index + 1),
    };
    pairs.iter().enumerate().map(line).collect()
}

fn translated(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let done = translate(file(pairs)).unwrap();
    done.properties.into_iter().map(|property| (property.key, property.value)).collect()
}

#[track_caller]
fn is(pairs: &[(&str, &str)], expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(translated(pairs), expected);
}

#[track_caller]
fn refused(pairs: &[(&str, &str)]) -> String {
    translate(file(pairs)).unwrap_err().to_string()
}

#[test]
fn a_login() {
    let jaas = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"a\" password=\"p\";";
    is(
        &[("security.protocol", "SASL_SSL"), ("sasl.jaas.config", jaas), ("sasl.mechanism", "SCRAM-SHA-512")],
        &[
            ("security.protocol", "SASL_SSL"),
            ("sasl.username", "a"),
            ("sasl.password", "p"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
        ],
    );
    let words = refused(&[("acks", "all"), ("sasl.jaas.config", "com.sun.Krb5LoginModule required hunter2=1;")]);
    assert!(
        words.starts_with("client.properties, line 2: sasl.jaas.config cannot be translated: it logs in by Kerberos")
    );
    assert!(!words.contains("hunter2"));
}

#[test]
fn other_names_and_what_only_java_has() {
    is(
        &[
            ("fetch.max.wait.ms", "9"),
            ("ssl.endpoint.identification.algorithm", ""),
            ("ssl.endpoint.identification.algorithm", "HTTPS"),
            ("linger.ms", "3"),
        ],
        &[
            ("fetch.wait.max.ms", "9"),
            ("ssl.endpoint.identification.algorithm", "none"),
            ("ssl.endpoint.identification.algorithm", "https"),
            ("linger.ms", "3"),
        ],
    );
    let done = translate(file(&[("key.serializer", "x"), ("acks", "all"), ("max.block.ms", "1")])).unwrap();
    let names = |all: &[Property]| all.iter().map(|property| property.key.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&done.properties), names(&done.ignored)),
        (vec!["acks".into()], vec!["key.serializer".into(), "max.block.ms".into()])
    );
    let words =
        refused(&[("sasl.client.callback.handler.class", "software.amazon.msk.auth.iam.IAMClientCallbackHandler")]);
    assert!(
        words.starts_with("client.properties, line 1: sasl.client.callback.handler.class is a Java class"),
        "{words}"
    );
    assert!(refused(&[("config.providers", "file")]).contains("kuu has no config.providers"));
    // What librdkafka has too is no sign of Java, and is never ignored.
    for key in ["acks", "ssl.keystore.location", "ssl.keystore.password", "linger.ms", "sasl.mechanism"] {
        assert!(!is_of_java(key), "{key}");
    }
    let known = include_str!("../librdkafka.txt");
    for key in &IGNORED {
        assert!(!known.lines().any(|line| line.split('\t').next() == Some(*key)), "librdkafka has {key}");
    }
    for (_, name) in NAMES {
        assert!(known.lines().any(|line| line.split('\t').next() == Some(name)), "librdkafka has no {name}");
    }
}

#[test]
fn trust_stores() {
    is(
        &[("ssl.truststore.type", "pem"), ("ssl.truststore.location", "a.pem"), ("ssl.truststore.password", "hunter2")],
        &[("ssl.ca.location", "a.pem")],
    );
    is(
        &[("ssl.truststore.type", "PEM"), ("ssl.truststore.certificates", "-----BEGIN")],
        &[("ssl.ca.pem", "-----BEGIN")],
    );
    for said in ["JKS", "PKCS12", "BCFKS"] {
        let pairs = [
            ("ssl.truststore.location", "/etc/t.jks"),
            ("ssl.truststore.type", said),
            ("ssl.truststore.password", "hunter2"),
        ];
        assert_eq!(
            refused(&pairs),
            "client.properties, line 1: ssl.truststore.location=/etc/t.jks is a key store of Java, and librdkafka reads \
             PEM only: convert it with `keytool -list -rfc -keystore /etc/t.jks > ca.pem`, which asks for \
             ssl.truststore.password, and write ssl.ca.location=ca.pem in place of the lines ssl.truststore.*"
        );
    }
    // Without a type, the content says what it is.
    let content = tempfile::NamedTempFile::new().unwrap();
    let path = content.path().to_str().unwrap();
    std::fs::write(path, "-----BEGIN CERTIFICATE-----").unwrap();
    is(&[("ssl.truststore.location", path)], &[("ssl.ca.location", path)]);
    std::fs::write(path, [0xfe, 0xed, 0xfe, 0xed, 0]).unwrap();
    assert!(refused(&[("ssl.truststore.location", path)]).contains("keytool"));
}

#[test]
fn key_stores() {
    is(
        &[("ssl.keystore.type", "PKCS12"), ("ssl.keystore.location", "k.p12"), ("ssl.keystore.password", "p")],
        &[("ssl.keystore.location", "k.p12"), ("ssl.keystore.password", "p")],
    );
    // As a file for librdkafka has it.
    is(
        &[("ssl.keystore.location", "none-here.p12"), ("ssl.keystore.password", "p")],
        &[("ssl.keystore.location", "none-here.p12"), ("ssl.keystore.password", "p")],
    );
    is(
        &[("ssl.keystore.type", "PEM"), ("ssl.keystore.location", "k.pem"), ("ssl.key.password", "p")],
        &[("ssl.key.password", "p"), ("ssl.key.location", "k.pem"), ("ssl.certificate.location", "k.pem")],
    );
    let words = refused(&[("ssl.keystore.type", "JKS"), ("ssl.keystore.location", "k.jks")]);
    assert!(
        words.contains("`keytool -importkeystore -srckeystore k.jks -destkeystore keystore.p12 -deststoretype PKCS12`"),
        "{words}"
    );
}

#[test]
fn escapes() {
    assert_eq!(unescaped(r"a\=b\:c\\d\te\u00e9\!\x"), "a=b:c\\d\te\u{e9}!x");
    assert_eq!(unescaped("a\\"), "a");
}
