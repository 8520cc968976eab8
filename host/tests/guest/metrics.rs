//! What strikes a guest is counted, through the `metrics` facade.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, with_local_recorder};
use ractor_host::directory;
use ractor_host::guest::{
    Grants, GuestOptions, Limits, Modules, Profile, RestartIntensity, RestartPolicy, RestartType, WhenFull,
};

use crate::support::{ask, cast, script, start, start_module, with_limits};

/// Keeps counters, each under its name and labels: `name{key=value,…}`.
#[derive(Default)]
pub(crate) struct Counters(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Counters {
    pub(crate) fn value(&self, name: &str) -> u64 {
        let counters = self.0.lock().unwrap();
        counters.get(name).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Counter::from_arc(self.0.lock().unwrap().entry(name).or_default().clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Runs on one thread, which is where a local recorder records.
pub(crate) fn recorded(test: impl Future<Output = ()>) -> Counters {
    let counters = Counters::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    with_local_recorder(&counters, || runtime.block_on(test));
    counters
}

fn named(name: &str, limits: Limits) -> GuestOptions {
    GuestOptions {
        name: Some(name.to_owned()),
        restarting: RestartPolicy::new(RestartType::Transient, RestartIntensity::default()),
        ..with_limits(limits)
    }
}

#[test]
fn a_limit_is_counted_with_its_name_and_the_actors() {
    let counters = recorded(async {
        let limits = Limits {
            reply_bytes: 3,
            ..Limits::default()
        };
        let guest = start(named("laconic", limits)).await;
        assert_eq!(guest.call("echo", b"too long").await, None);
        assert_eq!(guest.call("echo", b"too long").await, None);
    });
    assert_eq!(
        counters.value("ractor_host_guest_limits_total{limit=reply_bytes,actor=laconic}"),
        2
    );
}

#[test]
fn failures_restarts_and_the_message_that_was_lost_are_counted() {
    let counters = recorded(async {
        let guest = start(named("clumsy", Limits::default())).await;
        guest.cast("trap", b"");
        assert_eq!(guest.call("echo", b"alive").await, Some(b"alive".to_vec()));
        guest.cell.stop(None);
    });
    assert_eq!(counters.value("ractor_host_guest_failures_total{actor=clumsy}"), 1);
    assert_eq!(counters.value("ractor_host_guest_restarts_total{actor=clumsy}"), 1);
    assert_eq!(
        counters.value("ractor_host_guest_dead_letters_total{reason=failed,actor=clumsy}"),
        1
    );
}

#[test]
fn what_a_full_mailbox_drops_is_counted() {
    let counters = recorded(async {
        let limits = Limits {
            mailbox_messages: 2,
            mailbox_full: WhenFull::DropOldest,
            ..Limits::default()
        };
        let guest = start(named("crowded", limits)).await;
        let inbox = ractor_host::directory::inbox(guest.cell.get_id()).unwrap();
        // The guest's actor has no turn before this test waits for it.
        for text in [b"1", b"2", b"3", b"4"] {
            inbox
                .put(ractor::message::SerializedMessage::Cast {
                    variant: "answer".to_owned(),
                    args: text.to_vec(),
                    metadata: None,
                })
                .unwrap();
        }
        assert_eq!(guest.call("echo", b"").await, Some(Vec::new()));
    });
    assert_eq!(
        counters.value("ractor_host_guest_limits_total{limit=mailbox_messages,actor=crowded}"),
        1
    );
    assert_eq!(
        counters.value("ractor_host_guest_dead_letters_total{reason=mailbox_full,actor=crowded}"),
        2
    );
}

#[test]
fn children_are_counted_under_the_name_of_their_module() {
    let counters = recorded(async {
        let module = script().await;
        let modules = Modules::default();
        modules.insert(module.clone());
        let options = GuestOptions {
            name: Some("parent".to_owned()),
            profile: Arc::new(Profile {
                grants: Arc::new(Grants::of_actors()),
                ..Profile::default()
            }),
            modules,
            ..GuestOptions::default()
        };
        let parent = start_module(&module, options).await.unwrap();
        for name in ["made-up-1", "made-up-2"] {
            parent.cast("kid", name.as_bytes());
            assert_eq!(parent.call("echo", b"done").await, Some(b"done".to_vec()));
            let kid = directory::where_is(&format!("parent/{name}")).unwrap();
            cast(&kid, "trap", b"");
            assert_eq!(ask(&kid, "echo", b"alive", None).await.as_deref(), Ok(&b"alive"[..]));
        }
    });
    assert_eq!(counters.value("ractor_host_guest_failures_total{actor=test-module}"), 2);
    let made_up = |name: &String| name.contains("made-up");
    assert!(!counters.0.lock().unwrap().keys().any(made_up));
}
