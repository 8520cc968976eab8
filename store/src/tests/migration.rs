//! Tables of an earlier version become those of today, with what is in them.

use ractor_host_entities::EntityStore;
use ractor_host_placement::words::Entity;
use tokio::runtime::Handle;

use super::conformance::incarnation;
use super::harness::Database;
use crate::{EntityTables, schema};

const FIRST: &str = include_str!("../schema/1.sql");

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_first_version_are_brought_to_this_one() {
    let Some(database) = Database::empty().await else {
        return;
    };
    let session = database.session().await;
    let rows = r"insert into ractor_host.store (version, usable_from, secret) values (1, 1, '\x000102030405060708090a0b0c0d0e0f');
        insert into ractor_host.type values (1, 'e', 8);
        insert into ractor_host.shard (type_id, shard) values (1, 0);
        insert into ractor_host.state values (1, 'a', 0, 1, 1, 'cart', 3, 1700000000000000, 'state'), (1, 'b', 0, 1, 1, '', 0, 0, null);
        insert into ractor_host.reminder (type_id, key, number, name, shard, due, period, message) values
            (1, 'a', 0, 'once', 0, 5000, null, 'args'), (1, 'a', 1, 'twice', 0, 6000, 2000, ''), (1, 'a', 2, 'twice', 0, 7000, 1, '');
        insert into ractor_host.answered values
            (1, 'a', 'me', 'k', '01234567890123456789012345678901', 0, 'reply', 1700000600000000),
            (1, 'a', 'me', 'l', '01234567890123456789012345678901', 1, null, 1700000600000000)";
    let script = format!("create schema ractor_host; {FIRST} {rows}");
    session.batch_execute(&script).await.unwrap();
    let error = database.store.hash().await.unwrap_err();
    assert!(error.to_string().contains("ractor-host store init"), "{error}");
    let prepared = database.store.prepare().await.unwrap();
    assert_eq!((prepared.before, prepared.now), (1, schema::VERSION));

    let tables = EntityTables::new(database.store.clone(), || incarnation(1), Handle::current());
    let read = move |key: &str| tables.read(&Entity::new("e", key).unwrap(), None).unwrap();
    let (mut stored, deleted) = tokio::task::spawn_blocking(move || (read("a"), read("b")))
        .await
        .unwrap();
    let state = stored.state.unwrap();
    assert_eq!(
        (&state.code[..], state.state_version, &state.bytes[..]),
        ("cart", 3, &b"state"[..])
    );
    stored.reminders.sort_by(|one, other| one.id.cmp(&other.id));
    let reminders: Vec<_> = stored
        .reminders
        .iter()
        .map(|one| (&one.id[..], one.due_ms, one.period_ms, &one.args[..]))
        .collect();
    assert_eq!(
        reminders,
        [
            ("once", Some(5), None, &b"args"[..]),
            ("twice 1", Some(6), Some(2), b""),
            ("twice 2", Some(7), Some(1), b"")
        ]
    );
    stored.replies.sort_by(|one, other| one.key.cmp(&other.key));
    let replies: Vec<_> = stored
        .replies
        .iter()
        .map(|one| (&one.scope[..], &one.key[..], one.outcome.clone(), one.at_ms))
        .collect();
    assert_eq!(
        replies,
        [
            ("me", "k", Ok(b"reply".to_vec()), 1_700_000_000_000),
            ("me", "l", Err(String::new()), 1_700_000_000_000)
        ]
    );
    assert_eq!(deleted, Default::default());
}
