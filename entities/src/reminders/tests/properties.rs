//! What holds of reminders in whatever order things happen.

use std::sync::Arc;

use proptest::prelude::*;
use ractor_host_placement::words::Entity;

use crate::reminders::book::Book;
use crate::reminders::{ReminderLimits, SLOTS};
use crate::store::{Change, DuePlace, EntityStore, MemoryStore, ReminderChange, StoredDue, StoredReminder, Write};

#[derive(Debug, Clone)]
enum Step {
    Set(u8, u64, Option<u64>),
    Cancel(u8),
    Fire(u64),
    Take,
    Fail,
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..4, 0_u64..50, proptest::option::of(1_u64..20)).prop_map(|(id, due, period)| Step::Set(id, due, period)),
        (0_u8..4).prop_map(Step::Cancel),
        (0_u64..60).prop_map(Step::Fire),
        Just(Step::Take),
        Just(Step::Fail),
        Just(Step::Reload),
    ];
    proptest::collection::vec(step, 1..100)
}

proptest! {
    /// Whatever messages do, and whichever fail, what is written is what the activation goes on with; and a firing counts as handled only
    /// with a write in which its reminder is due later, or gone.
    #[test]
    fn what_is_written_is_what_the_activation_knows(steps in steps()) {
        let (entity, store) = (Entity::new("t", "k").unwrap(), MemoryStore::default());
        let mut book = Book::new(ReminderLimits::default());
        let rows = |book: &Book| book.rows().cloned().collect::<Vec<_>>();
        let stored = || {
            let mut stored = store.read(&entity, None).unwrap().reminders;
            stored.sort_by(|one, other| one.id.cmp(&other.id));
            stored
        };
        let mut fired = 0;
        for step in steps {
            match step {
                Step::Set(id, due, period_ms) => {
                    let row = StoredReminder {
                        id: id.to_string(),
                        due_ms: Some(due),
                        period_ms,
                        variant: "V".to_owned(),
                        args: vec![id],
                        given_up: None,
                    };
                    book.handle_set(row).unwrap();
                }
                Step::Cancel(id) => {
                    book.handle_cancel(&id.to_string());
                }
                Step::Fire(now_ms) => {
                    let before = rows(&book);
                    let earliest = before.iter().filter(|row| row.due_ms <= Some(now_ms)).min_by_key(|row| (row.due_ms, row.id.clone()));
                    match book.handle_due(now_ms) {
                        None => prop_assert_eq!(earliest, None),
                        Some((firing, row)) => {
                            prop_assert_eq!(Some(&row), earliest);
                            let now = rows(&book).into_iter().find(|one| one.id == firing.id);
                            prop_assert!(now.is_none_or(|one| one.due_ms > Some(now_ms)));
                            fired += 1;
                        }
                    }
                }
                Step::Take => {
                    let taken = book.take();
                    let write = Write { reminders: taken.changes, ..Write::state(entity.clone(), Change::Keep) };
                    store.write(&[Arc::new(write)]).unwrap();
                    prop_assert_eq!(stored(), rows(&book));
                    prop_assert_eq!(std::mem::take(&mut fired), taken.handled.len());
                }
                Step::Fail => {
                    prop_assert_eq!(std::mem::take(&mut fired), book.handle_failed().len());
                    prop_assert_eq!(stored(), rows(&book));
                    prop_assert!(!book.has_changes());
                }
                Step::Reload => {
                    drop(book.handle_failed());
                    fired = 0;
                    book.handle_loaded(stored());
                }
            }
        }
    }

    /// The pages of what is due, one behind the other, are all that is due, in order and each once.
    #[test]
    fn pages_of_what_is_due_leave_nothing_out(dues in proptest::collection::vec((0_u8..5, 0_u8..4, 0_u64..6), 1..40), most in 1_usize..5) {
        let store = MemoryStore::default();
        for (key, id, due) in &dues {
            let row = StoredReminder {
                id: id.to_string(), due_ms: Some(*due), period_ms: None, variant: String::new(), args: Vec::new(), given_up: None,
            };
            let entity = Entity::new("t", [*key + 1]).unwrap();
            let write = Write { reminders: vec![ReminderChange::Put(row)], ..Write::state(entity, Change::Keep) };
            store.write(&[Arc::new(write)]).unwrap();
        }
        let all = |after: &DuePlace, most| store.due(0..=SLOTS - 1, after, 4, most).unwrap();
        let mut after = DuePlace { due_ms: 0, reminder: None };
        let whole = all(&after, 1_000);
        prop_assert!(whole.is_sorted_by_key(StoredDue::place) && whole.iter().all(|due| due.due_ms <= 4));
        let mut paged = Vec::new();
        loop {
            let page = all(&after, most);
            let Some(last) = page.last() else { break };
            after = last.place();
            paged.extend(page);
        }
        prop_assert_eq!(paged, whole);
    }
}
