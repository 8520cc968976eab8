//! States behind the fence, and the reminders that go with them.

use super::*;

/// All of these.
pub(super) fn scenarios() -> Vec<Scenario> {
    [writes(), moves(), reminders()].concat()
}

/// Node 1 takes the shards 4 and 5.
fn owned() -> Step {
    Step::Ask(acquire(1, &[4, 5]), Expect::Acquired(&[(4, 1), (5, 1)]))
}

fn writes() -> Vec<Scenario> {
    use Expect::{Acquired, State, Written};
    use Step::{Ask, Begin, Commit, Waits};
    vec![
        scenario(
            "a state is written at the owner's epoch only",
            vec![
                Ask(write(1, &[(4, 0, 1, "free")]), Written(&[false])),
                owned(),
                Ask(write(1, &[(4, 1, 1, "one"), (5, 1, 1, "five")]), Written(&[true, true])),
                Ask(write(2, &[(4, 1, 2, "other")]), Written(&[false])),
                Ask(write(1, &[(4, 0, 2, "old"), (5, 1, 2, "six")]), Written(&[false, true])),
                Ask(read(1, 4, 1), State(true, Some((1, 1, "one")))),
                Ask(read(1, 5, 1), State(true, Some((1, 2, "six")))),
                Ask(read(2, 5, 1), State(false, Some((1, 2, "six")))),
                Ask(read(1, 3, 1), State(false, None)),
            ],
        ),
        scenario(
            "a write that comes late doesn't undo a later one",
            vec![
                owned(),
                Ask(write(1, &[(4, 1, 2, "two")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 1, "one")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 2, "two")]), Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
                // Versions begin anew at each epoch.
                Ask(reclaim(1, &[(4, 1)]), Acquired(&[(4, 2)])),
                Ask(write(1, &[(4, 2, 1, "three")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 9, "late")]), Written(&[false])),
                Ask(read(1, 4, 2), State(true, Some((2, 1, "three")))),
            ],
        ),
        scenario(
            "writes to one shard don't wait for each other, and two to one entity do",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Ask(write(1, &[(5, 1, 1, "five")]), Written(&[true])),
                Begin(1, write(1, &[(4, 1, 2, "two")])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
            ],
        ),
        scenario(
            "of two writes to one entity the later version stays, whichever is carried out last",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 2, "two")])),
                Begin(1, write(1, &[(4, 1, 1, "one")])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
            ],
        ),
    ]
}

fn moves() -> Vec<Scenario> {
    use Expect::{Acquired, Released, State, Written};
    use Step::{Ask, Begin, Commit, Kill, Waits};
    vec![
        scenario(
            "a move waits for a write that is on its way, and a later write is refused",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Begin(1, release(1, &[(4, 1)])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Released),
                Ask(acquire(2, &[4]), Acquired(&[(4, 2)])),
                Ask(write(1, &[(4, 1, 2, "late")]), Written(&[false])),
                Ask(read(2, 4, 2), State(true, Some((1, 1, "one")))),
            ],
        ),
        scenario(
            "a write waits for a move that is on its way, and is then refused",
            vec![
                owned(),
                Begin(0, release(1, &[(4, 1)])),
                Begin(1, write(1, &[(4, 1, 1, "stale"), (5, 1, 1, "five")])),
                Waits(1),
                Commit(0, Released),
                Commit(1, Written(&[false, true])),
                Ask(read(1, 4, 1), State(false, None)),
                Ask(read(1, 5, 1), State(true, Some((1, 1, "five")))),
            ],
        ),
        scenario(
            "a write whose connection ends has not happened, and a move goes on",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Begin(1, release(1, &[(4, 1)])),
                Waits(1),
                Kill(0),
                Commit(1, Released),
                Ask(read(1, 4, 1), State(false, None)),
            ],
        ),
        scenario(
            "a move whose connection ends leaves the owner",
            vec![
                owned(),
                Begin(0, release(1, &[(4, 1)])),
                Begin(1, write(1, &[(4, 1, 1, "one")])),
                Waits(1),
                Kill(0),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 1, "one")))),
            ],
        ),
        scenario(
            "a shard that is written to isn't taken from an ended owner in the meantime",
            vec![
                nine(),
                Ask(acquire(9, &[4]), Acquired(&[(4, 1)])),
                Begin(0, write(9, &[(4, 1, 1, "one")])),
                Ask(end(9), Expect::Ended(true)),
                Ask(acquire(1, &[4]), Acquired(&[])),
                Commit(0, Written(&[true])),
                Ask(acquire(1, &[4]), Acquired(&[(4, 2)])),
                Ask(write(9, &[(4, 1, 2, "late")]), Written(&[false])),
                Ask(read(1, 4, 2), State(true, Some((1, 1, "one")))),
            ],
        ),
    ]
}

fn reminders() -> Vec<Scenario> {
    use Expect::Written;
    use Step::{Ask, Due};
    vec![scenario(
        "a reminder advances with the state in which it was handled, once",
        vec![
            Due(1, &[]),
            owned(),
            Due(1, &[(5, 1_000)]),
            Due(2, &[]),
            Ask(handle(2, 1, 1_000), Written(&[false])),
            Ask(handle(1, 2, 999), Written(&[true])),
            Due(1, &[(5, 1_000)]),
            // A write that comes late changes nothing, and so is no handling.
            Ask(handle(1, 1, 1_000), Written(&[true])),
            Due(1, &[(5, 1_000)]),
            Ask(handle(1, 3, 1_000), Written(&[true])),
            Due(1, &[]),
            Ask(handle(1, 3, 1_000), Written(&[true])),
            Due(1, &[]),
        ],
    )]
}
