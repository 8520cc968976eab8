//! What the table does with messages, and an actor as it sees it.

use proptest::prelude::*;

use super::*;

const LIMITS: WaitingLimits = WaitingLimits {
    messages: 100,
    bytes: 1_000 + PLACE,
    all_bytes: 100_000,
};

fn key(name: u8) -> EntityKey {
    EntityKey::new(&[name + 1]).unwrap()
}

#[test]
fn what_waits_is_bounded() {
    let mut table = Table::<u32, &str>::new(WaitingLimits {
        messages: 2,
        bytes: 10 + PLACE,
        all_bytes: 2 * (10 + PLACE),
    });
    let now = Instant::now();
    assert_eq!(table.handle_message(&key(1), "large", 11, now), Route::Full("large"));
    assert!(
        table.is_empty(),
        "nobody activates an entity by a message that isn't taken"
    );
    assert_eq!(table.handle_message(&key(1), "a", 5, now), Route::Activate);
    assert_eq!(table.handle_message(&key(1), "b", 6, now), Route::Full("b"));
    assert_eq!(table.handle_message(&key(1), "c", 5, now), Route::Waits);
    assert_eq!(table.handle_message(&key(1), "d", 0, now), Route::Full("d"));
    // Others have as much together, and no more.
    assert_eq!(table.handle_message(&key(2), "e", 6, now), Route::Activate);
    assert_eq!(table.handle_message(&key(3), "f", 0, now), Route::Full("f"));
    assert_eq!(table.handle_not_active(&key(1)), ["a", "c"]);
    assert_eq!(table.handle_message(&key(3), "f", 0, now), Route::Activate);
    assert_eq!(table.waiting_messages(), 2);
    assert_eq!(table.handle_active(&key(2), 1, 1, now), ["e"]);
    assert_eq!(table.handle_not_active(&key(3)), ["f"]);
    assert_eq!(table.waiting, Waiting::default());
}

#[test]
fn those_longest_without_a_message_are_idle_first() {
    let mut table = Table::<u8, u8>::new(LIMITS);
    let begun = Instant::now();
    let at = |second| begun + Duration::from_secs(second);
    for name in 0..4 {
        table.handle_message(&key(name), 0, 1, at(0));
        table.handle_active(&key(name), u32::from(name), name, at(u64::from(name)));
    }
    assert_eq!(table.handle_message(&key(0), 1, 1, at(10)), Route::To(0, 0, 1));
    let idle = |table: &mut Table<u8, u8>, now| -> Vec<u8> {
        table
            .poll_idle(Duration::from_secs(9), now, 10)
            .into_iter()
            .map(|(_, actor)| actor)
            .collect()
    };
    assert_eq!(idle(&mut table, at(11)), [1, 2]);
    assert_eq!(table.handle_leave(&key(1)), Some(1));
    assert_eq!((table.handle_leave(&key(1)), table.active()), (None, 3));
    assert_eq!(table.handle_message(&key(1), 5, 1, at(11)), Route::Waits);
    assert_eq!(
        table.handle_ended(&key(1), 0, Vec::new()),
        AfterEnd::Nothing,
        "of an earlier activation"
    );
    assert_eq!(table.handle_ended(&key(1), 1, Vec::new()), AfterEnd::Activate);
    assert_eq!(table.handle_active(&key(1), 9, 9, at(12)), [5]);
}

/// An actor as the table sees it: what it has taken, and whether it takes more.
#[derive(Default)]
struct Model {
    taken: Vec<u32>,
    drains: bool,
}

proptest! {
    /// Whatever happens between, the messages of one entity are handled in the order in which they came, each once; and one
    /// activation lives at a time.
    #[test]
    fn messages_stay_in_order_over_activations(steps in proptest::collection::vec(0_u8..6, 1..200)) {
        let mut table = Table::<u32, u32>::new(LIMITS);
        let (now, entity) = (Instant::now(), key(0));
        let mut models: Vec<Model> = Vec::new();
        let (mut living, mut starting): (Option<u32>, bool) = (None, false);
        let (mut sent, mut handled): (u32, Vec<u32>) = (0, Vec::new());
        for step in steps {
            match step {
                0..3 => {
                    let mut route = table.handle_message(&entity, sent, 1, now);
                    while let Route::To(activation, actor, message) = route {
                        let model = &mut models[actor as usize];
                        if living == Some(actor) && !model.drains {
                            model.taken.push(message);
                            break;
                        }
                        route = table.handle_refused(&entity, activation, message, 1, now);
                    }
                    if matches!(route, Route::Activate) {
                        prop_assert!(living.is_none() && !starting, "two activations");
                        starting = true;
                    }
                    if !matches!(route, Route::Full(_)) {
                        sent += 1;
                    }
                }
                3 if starting => {
                    starting = false;
                    let activation = table.next_activation();
                    let actor = u32::try_from(models.len()).unwrap();
                    let taken = table.handle_active(&entity, activation, actor, now).into();
                    models.push(Model { taken, drains: false });
                    living = Some(actor);
                }
                4 => {
                    if let Some(actor) = table.handle_leave(&entity) {
                        models[actor as usize].drains = true;
                    }
                }
                5 => {
                    if let Some(actor) = living.take() {
                        // It ends once it has handled what it has taken, or gives some of it back.
                        let Model { taken, drains } = &mut models[actor as usize];
                        let kept = if *drains { taken.len() } else { taken.len() / 2 };
                        let left = taken.split_off(kept).into_iter().map(|message| (1, message)).collect();
                        handled.append(taken);
                        if table.handle_ended(&entity, actor + 1, left) == AfterEnd::Activate {
                            prop_assert!(!starting);
                            starting = true;
                        }
                    }
                }
                _ => {}
            }
        }
        if let Some(actor) = living {
            handled.append(&mut models[actor as usize].taken);
        }
        let waiting = u32::try_from(handled.len()).unwrap();
        prop_assert_eq!(handled, (0..waiting).collect::<Vec<_>>());
    }
}
