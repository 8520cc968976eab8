//! What a view keeps, and what it takes.

use super::*;
use crate::words::TypeId;

fn number(number: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(number).unwrap())
}

fn member(incarnation: u64, standing: Standing) -> Member {
    Member {
        incarnation: number(incarnation),
        name: "n".into(),
        address: "a".into(),
        weight: 1,
        labels: Arc::default(),
        types: Arc::default(),
        standing,
    }
}

fn row(shard: u32, epoch: u64, owner: Option<u64>) -> ShardRow {
    let type_id = TypeId(0);
    ShardRow {
        shard: ShardId { type_id, shard },
        epoch: Epoch(epoch),
        owner: owner.map(number),
    }
}

fn types(count: u16, shards: u32) -> Vec<TypeSpec> {
    let spec = |of| TypeSpec {
        type_id: TypeId(of),
        shards,
        place: Where::new(),
    };
    (0..count).map(spec).collect()
}

#[test]
fn a_row_that_was_read_earlier_changes_nothing() {
    let mut view = View::new(&types(1, 4));
    let read = |members: Vec<Member>, rows: Vec<ShardRow>| ViewChanges {
        members,
        shards: rows,
        ..ViewChanges::default()
    };
    view.apply(&read(vec![member(1, Standing::Live)], vec![row(0, 2, Some(1))]));
    for old in [row(0, 1, Some(1)), row(0, 1, None), row(0, 2, Some(1))] {
        assert!(view.apply(&read(vec![], vec![old])).is_nothing());
    }
    let released = row(0, 2, None);
    assert_eq!(view.apply(&read(vec![], vec![released])).shards, [released]);
    assert!(
        view.apply(&read(vec![], vec![row(0, 2, Some(1))])).is_nothing(),
        "it was released since"
    );
    view.apply(&read(vec![member(1, Standing::Ended)], vec![]));
    assert!(
        !view.apply(&read(vec![member(1, Standing::Live)], vec![])).joined,
        "it has ended since"
    );
}

#[test]
fn what_an_ended_node_has_is_nobodys() {
    let mut view = View::new(&types(1, 2));
    let rows = vec![row(0, 1, Some(1)), row(1, 1, Some(2))];
    view.apply(&ViewChanges {
        members: vec![member(1, Standing::Live), member(2, Standing::Ended)],
        shards: rows,
        ..ViewChanges::default()
    });
    let owners: Vec<_> = view.owners(TypeId(0)).collect();
    assert_eq!(owners, [Some(number(1)), None]);
}

/// I9.
#[test]
fn a_view_of_a_thousand_nodes_takes_less_than_five_megabytes() {
    let mut view = View::new(&types(20, 1_024));
    view.apply(&ViewChanges {
        members: (1..=1_000).map(|of| member(of, Standing::Live)).collect(),
        ..ViewChanges::default()
    });
    println!("1 000 nodes, 20 types, 1 024 shards: {} bytes", view.bytes());
    assert!(view.bytes() <= 5_000_000);
}

/// Nodes come and go for ever; what is kept of them doesn't grow.
#[test]
fn ended_nodes_are_forgotten() {
    let mut view = View::new(&types(1, 4));
    for of in 1..10_000 {
        let members = vec![member(of, Standing::Ended), member(of + 1, Standing::Live)];
        let shards = vec![row(0, of, Some(of))];
        view.apply(&ViewChanges {
            members,
            shards,
            ..ViewChanges::default()
        });
    }
    assert!(view.ended.len() < 100, "{}", view.ended.len());
}
