#![allow(unsafe_code)]

use super::*;
use crate::kafka::topics::count_topics::Limits;
use crate::kafka::topics::identity::Ids;
use kuu_core::ledger::Ledger;
use rdkafka::ClientConfig;
use rdkafka::bindings::*;
use rdkafka::producer::BaseProducer;
use std::ffi::{CStr, CString};
use std::ptr::NonNull;
use std::sync::mpsc::channel;

const GROUP: &str = "counting";

/// An embedded cluster of two brokers, of which one can leave: rdkafka's own type cannot do that.
struct TwoBrokers {
    cluster: NonNull<rd_kafka_mock_cluster_t>,
    /// It owns the cluster.
    _owner: BaseProducer,
}

impl TwoBrokers {
    /// The first one has all partitions and the transactions.
    fn start(topics: &[&str]) -> TwoBrokers {
        let owner: BaseProducer = ClientConfig::new().set("test.mock.num.brokers", "2").create().unwrap();
        // SAFETY: the client has a cluster, as its configuration says so.
        let cluster = unsafe { rd_kafka_handle_mock_cluster(owner.client().native_ptr()) };
        let brokers = TwoBrokers { cluster: NonNull::new(cluster).unwrap(), _owner: owner };
        for topic in topics {
            let name = CString::new(*topic).unwrap();
            // SAFETY: the cluster lives as long as its owner, and copies the name.
            unsafe {
                let created = rd_kafka_mock_topic_create(brokers.cluster.as_ptr(), name.as_ptr(), 1, 1);
                assert_eq!(created, rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
                rd_kafka_mock_partition_set_leader(brokers.cluster.as_ptr(), name.as_ptr(), 0, 1);
            }
        }
        brokers.coordinate("transaction", 1);
        brokers
    }

    fn addresses(&self) -> String {
        // SAFETY: the cluster lives, and so does its string.
        unsafe { CStr::from_ptr(rd_kafka_mock_cluster_bootstraps(self.cluster.as_ptr())) }.to_str().unwrap().to_owned()
    }

    fn coordinate(&self, what: &str, broker: i32) {
        let (what, group) = (CString::new(what).unwrap(), CString::new(GROUP).unwrap());
        // SAFETY: the cluster lives, and copies both names.
        unsafe { rd_kafka_mock_coordinator_set(self.cluster.as_ptr(), what.as_ptr(), group.as_ptr(), broker) };
    }

    fn remove(&self, broker: i32) {
        // SAFETY: the cluster lives.
        let removed = unsafe { rd_kafka_mock_broker_decommission(self.cluster.as_ptr(), broker) };
        assert_eq!(removed, rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

fn commit(sink: &mut ExactlyOnce, positions: &[i64]) -> Result<()> {
    let ledger = Ledger::default();
    let commit = Commit { positions, changes: Vec::new(), held: None, ledger: &ledger, read_bytes: 0, last: false };
    sink.commit(commit)
}

/// A broker that was stopped for some seconds is missing in the metadata that it gives right after that.
#[test]
fn a_coordinator_of_the_group_that_left_holds_up_one_producer_only() {
    let (done, wait) = channel();
    // In a thread: the call that this is about does not return.
    std::thread::spawn(move || {
        let state = State::topic(GROUP);
        let brokers = TwoBrokers::start(&["messages", "results", &state]);
        brokers.coordinate("group", 2);
        let settings = Settings {
            brokers: brokers.addresses(),
            brokers_from: String::new(),
            // With kuu's own value, the coordinator is mostly found.
            properties: vec![("connections.max.idle.ms".into(), "0".into())],
            timeout: Duration::from_secs(3),
            stop: Stop::default(),
        };
        let cluster = Cluster::connect(&settings).unwrap();
        let topics = CountTopics {
            input: "messages".to_owned(),
            output: "results".to_owned(),
            dead_letters: None,
            ordered: None,
            limits: Limits::default(),
        };
        let sink = || {
            let identity = Identity::of(&cluster, &topics, Some(state.clone())).unwrap();
            let (topics, origin) = (topics.clone(), Origin::new([].into(), Ids::new()));
            let sink = ExactlyOnce::new(&settings, GROUP, topics, origin, identity, "me", &settings.stop);
            let mut sink = sink.unwrap();
            sink.positions = vec![0];
            sink
        };
        let mut first = sink();
        commit(&mut first, &[1]).unwrap();
        brokers.coordinate("group", 1);
        brokers.remove(2);
        // The producer hears of it, and ends the connection.
        first.writer.producer().client().fetch_metadata(None, settings.timeout).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let why = commit(&mut first, &[2]).unwrap_err();
        assert!(why.is::<Aborted>());
        drop(first);
        let mut second = sink();
        commit(&mut second, &[2]).unwrap();
        done.send((why.to_string(), second.positions.clone())).unwrap();
    });
    let why = "a transaction was aborted: the coordinator of the group did not answer in time".to_owned();
    assert_eq!(wait.recv_timeout(Duration::from_secs(60)), Ok((why, vec![2])));
}
