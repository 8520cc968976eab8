//! The calls of one activation, by themselves.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::book::{Begun, Replies};
use super::super::port;
use super::*;
use crate::store::Change;

#[test]
fn the_port_of_a_call_is_known_by_what_it_carries() {
    for id in [0, 1, (1 << 29) - 1, 1 << 29, u64::MAX >> 8] {
        let (ended, hears) = std::sync::mpsc::channel();
        let port = port::port(id, move |id, outcome| ended.send((id, outcome)).unwrap());
        assert_eq!(port::call_of(&port), Some(id));
        drop(port);
        assert_eq!(hears.try_recv(), Ok((id, Err(None))));
    }
    for timeout in [Duration::ZERO, Duration::from_secs(u64::from(u32::MAX)), Duration::MAX] {
        let (port, _reply) = reply_port::<Vec<u8>>(Some(timeout));
        assert_eq!(port::call_of(&port), None, "{timeout:?}");
    }
    let (ended, hears) = std::sync::mpsc::channel();
    let reason = FailureReason::new("too dear");
    told(fail(
        port::port(1, move |_, outcome| ended.send(outcome).unwrap()),
        reason.clone(),
    ));
    assert_eq!(hears.try_recv(), Ok(Err(Some(reason))));
}

#[derive(Debug, Clone)]
enum Step {
    Call(u8),
    Answer(u8),
    Take,
    Fail,
    Again,
    Reload,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..4).prop_map(Step::Call),
        4 => (0_u8..4).prop_map(Step::Answer),
        3 => Just(Step::Take),
        1 => Just(Step::Fail),
        1 => Just(Step::Again),
        1 => Just(Step::Reload),
        1 => (0_u64..400_000).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..150)
}

fn stored(store: &MemoryStore) -> Vec<KeptReply> {
    store.read(&Entity::new("t", "k").unwrap(), None).unwrap().replies
}

fn take(replies: &mut Replies<u64>, store: &MemoryStore) {
    let write = Write {
        replies: replies.take(),
        ..Write::state(Entity::new("t", "k").unwrap(), Change::Keep)
    };
    store.write(&[Arc::new(write)]).unwrap();
}

proptest! {
    /// Whatever fails: a call that is handled again was in no state that was kept, unless that is ten minutes ago; and each port is told
    /// once.
    #[test]
    fn a_call_that_is_in_a_state_is_not_handled_again(steps in steps()) {
        let store = MemoryStore::default();
        let mut replies = Replies::<u64>::default();
        let (mut now_ms, mut next) = (BEGIN_MS, 0_u64);
        // The calls that are handled since the state was taken, and when those that are in it were begun or answered last.
        let (mut handled, mut in_state) = (BTreeMap::<u8, u64>::new(), BTreeMap::<u8, u64>::new());
        let mut open = BTreeMap::<u8, u64>::new();
        let (mut waiting, mut begun_ms) = (BTreeSet::new(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Call(key) => {
                    next += 1;
                    waiting.insert(next);
                    match replies.handle_call(next, ((String::new(), key.to_string()), [key; 32]), next, now_ms) {
                        Begun::Handle => {
                            prop_assert!(!handled.contains_key(&key) && !open.contains_key(&key), "{}", key);
                            let kept_ms = in_state.get(&key).copied();
                            prop_assert!(kept_ms.is_none_or(|at_ms| at_ms + whole_millis(KEPT_FOR) <= now_ms), "{}", key);
                            handled.insert(key, now_ms);
                            open.insert(key, next);
                            begun_ms.insert(next, now_ms);
                        }
                        Begun::Joined => prop_assert!(open.contains_key(&key)),
                        Begun::Kept(port, outcome) => {
                            prop_assert!(waiting.remove(&port) && !open.contains_key(&key));
                            prop_assert!(outcome.is_err() || outcome == Ok(vec![key]));
                        }
                        Begun::Refused(port, fault) => {
                            waiting.remove(&port);
                            prop_assert_eq!(fault, crate::keys::book::KeyFault::Joined);
                        }
                    }
                }
                Step::Answer(key) => {
                    if let Some(id) = open.remove(&key) {
                        for port in replies.handle_outcome(id, &Ok(vec![key]), now_ms).unwrap() {
                            prop_assert!(waiting.remove(&port));
                        }
                        handled.insert(key, now_ms);
                    }
                }
                Step::Take => {
                    take(&mut replies, &store);
                    in_state.append(&mut handled);
                }
                Step::Fail | Step::Again => {
                    let lost = replies.handle_failed();
                    open.retain(|_, id| replies.is_in_flight(*id));
                    handled.clear();
                    for call in lost {
                        if matches!(step, Step::Again) {
                            let key = call.key().parse().unwrap();
                            open.insert(key, call.id());
                            handled.insert(key, begun_ms[&call.id()]);
                            replies.handle_again(call);
                        } else {
                            for port in call.ports {
                                prop_assert!(waiting.remove(&port));
                            }
                        }
                    }
                }
                Step::Reload => {
                    for call in replies.handle_failed().into_iter().chain(replies.handle_over()) {
                        for port in call.ports {
                            prop_assert!(waiting.remove(&port));
                        }
                    }
                    open.clear();
                    handled.clear();
                    replies = Replies::default();
                    replies.handle_loaded(stored(&store), now_ms);
                }
                Step::Wait(ms) => {
                    now_ms += ms;
                    store.forget_replies(now_ms - whole_millis(KEPT_FOR)).unwrap();
                }
            }
        }
        for call in replies.handle_failed().into_iter().chain(replies.handle_over()) {
            for port in call.ports {
                prop_assert!(waiting.remove(&port));
            }
        }
        prop_assert!(waiting.is_empty(), "{:?}", waiting);
    }
}
