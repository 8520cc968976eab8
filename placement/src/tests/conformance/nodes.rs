//! Leases, ownership, and what polls read of both.

use super::*;

/// All of these.
pub(super) fn scenarios() -> Vec<Scenario> {
    [leases(), ownership(), views()].concat()
}

fn leases() -> Vec<Scenario> {
    use Expect::{Done, Ended, Renewed};
    use Step::{Ask, Begin, Commit, Kill, Waits};
    vec![
        scenario(
            "a lease that runs is not ended, and one that is over is ended once",
            vec![
                nine(),
                Ask(end(1), Ended(false)),
                Ask(end(9), Ended(true)),
                Ask(end(9), Ended(false)),
                Ask(end(77), Ended(false)),
            ],
        ),
        scenario(
            "a lease that is over may be renewed until it is ended, and not after that",
            vec![
                nine(),
                Ask(renewal(9), Renewed(true)),
                Ask(end(9), Ended(false)),
                Ask(join(8, Duration::ZERO), Done),
                Ask(end(8), Ended(true)),
                Ask(renewal(8), Renewed(false)),
                // A join that comes late lists it no more.
                Ask(join(8, Duration::from_secs(9)), Done),
                Ask(renewal(8), Renewed(false)),
                Ask(renewal(77), Renewed(false)),
            ],
        ),
        scenario(
            "an end waits for a renewal that is on its way, and then does nothing",
            vec![
                nine(),
                Begin(0, renewal(9)),
                Begin(1, end(9)),
                Waits(1),
                Commit(0, Renewed(true)),
                Commit(1, Ended(false)),
                Ask(renewal(9), Renewed(true)),
            ],
        ),
        scenario(
            "a renewal waits for an end that is on its way, and is then refused",
            vec![
                nine(),
                Begin(0, end(9)),
                Begin(1, renewal(9)),
                Waits(1),
                Commit(0, Ended(true)),
                Commit(1, Renewed(false)),
            ],
        ),
        scenario(
            "a renewal whose connection ends has not happened",
            vec![
                nine(),
                Begin(0, renewal(9)),
                Begin(1, end(9)),
                Waits(1),
                Kill(0),
                Commit(1, Ended(true)),
                Ask(renewal(9), Renewed(false)),
            ],
        ),
        scenario(
            "a standing only goes downwards",
            vec![
                Ask(standing(1, Standing::Draining), Done),
                Ask(standing(1, Standing::Live), Done),
                Ask(renewal(1), Renewed(true)),
                Ask(standing(1, Standing::Ended), Done),
                Ask(standing(1, Standing::Draining), Done),
                Ask(renewal(1), Renewed(false)),
            ],
        ),
    ]
}

fn ownership() -> Vec<Scenario> {
    use Expect::{Acquired, Ended, Owned, Released};
    use Step::{Ask, Begin, Commit, Waits};
    vec![
        scenario(
            "free shards are taken once, at the next epoch, and not from an owner that isn't ended",
            vec![
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[(0, 1), (1, 1), (2, 1)])),
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[])),
                Ask(acquire(2, &[1, 2, 3]), Acquired(&[(3, 1)])),
                Ask(read_owned(1), Owned(true, &[(0, 1), (1, 1), (2, 1)])),
                Ask(read_owned(77), Owned(false, &[])),
                Ask(acquire(77, &[4]), Acquired(&[])),
            ],
        ),
        scenario(
            "the shards of an ended node are taken, and it takes none",
            vec![
                nine(),
                Ask(acquire(9, &[0, 1]), Acquired(&[(0, 1), (1, 1)])),
                Ask(acquire(1, &[0]), Acquired(&[])),
                Ask(end(9), Ended(true)),
                Ask(acquire(9, &[2]), Acquired(&[])),
                Ask(acquire(1, &[0, 1]), Acquired(&[(0, 2), (1, 2)])),
                Ask(read_owned(9), Owned(false, &[])),
            ],
        ),
        scenario(
            "what another takes at the same time is skipped",
            vec![
                Begin(0, acquire(1, &[0, 1])),
                Ask(acquire(2, &[0, 1, 2]), Acquired(&[(2, 1)])),
                Commit(0, Acquired(&[(0, 1), (1, 1)])),
                Ask(acquire(2, &[0, 1]), Acquired(&[])),
            ],
        ),
        scenario(
            "a shard is released and reclaimed at its epoch only",
            vec![
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[(0, 1), (1, 1), (2, 1)])),
                Ask(release(1, &[(0, 0)]), Released),
                Ask(release(2, &[(0, 1)]), Released),
                Ask(read_owned(1), Owned(true, &[(0, 1), (1, 1), (2, 1)])),
                Ask(reclaim(1, &[(0, 1), (1, 7)]), Acquired(&[(0, 2)])),
                Ask(reclaim(1, &[(0, 1)]), Acquired(&[])),
                Ask(reclaim(2, &[(0, 2)]), Acquired(&[])),
                Ask(release(1, &[(0, 2), (1, 1)]), Released),
                Ask(read_owned(1), Owned(true, &[(2, 1)])),
                Ask(acquire(2, &[0, 1]), Acquired(&[(0, 3), (1, 2)])),
            ],
        ),
        scenario(
            "a release waits for a reclaim, and then finds another epoch",
            vec![
                Ask(acquire(1, &[0]), Acquired(&[(0, 1)])),
                Begin(0, reclaim(1, &[(0, 1)])),
                Begin(1, release(1, &[(0, 1)])),
                Waits(1),
                Commit(0, Acquired(&[(0, 2)])),
                Commit(1, Released),
                Ask(read_owned(1), Owned(true, &[(0, 2)])),
            ],
        ),
        scenario(
            "whether an owner has ended is what the statement saw at its beginning",
            vec![
                nine(),
                Ask(acquire(9, &[0]), Acquired(&[(0, 1)])),
                Begin(0, end(9)),
                Ask(acquire(1, &[0]), Acquired(&[])),
                Commit(0, Ended(true)),
                Ask(acquire(1, &[0]), Acquired(&[(0, 2)])),
            ],
        ),
    ]
}

fn views() -> Vec<Scenario> {
    use Expect::{Acquired, Done, Ended, Released};
    use Step::{Ask, Begin, Commit, Poll};
    vec![
        scenario(
            "what is committed late is read by the poll behind it",
            vec![
                Poll(3, &[(0, 0, 0), (1, 0, 0)]),
                Begin(0, acquire(1, &[0])),
                Ask(acquire(2, &[1]), Acquired(&[(1, 1)])),
                Poll(3, &[(0, 0, 0), (1, 1, 2)]),
                Ask(acquire(2, &[2]), Acquired(&[(2, 1)])),
                Poll(3, &[(0, 0, 0), (1, 1, 2), (2, 1, 2)]),
                Commit(0, Acquired(&[(0, 1)])),
                Poll(3, &[(0, 1, 1), (1, 1, 2), (2, 1, 2)]),
                Ask(release(2, &[(2, 1)]), Released),
                Poll(3, &[(0, 1, 1), (1, 1, 2), (2, 1, 0)]),
            ],
        ),
        scenario(
            "a poll sees nothing of what isn't committed",
            vec![
                Ask(acquire(1, &[0]), Acquired(&[(0, 1)])),
                Poll(2, &[(0, 1, 1)]),
                Begin(0, release(1, &[(0, 1)])),
                Poll(2, &[(0, 1, 1)]),
                Commit(0, Released),
                Poll(2, &[(0, 1, 0)]),
            ],
        ),
        scenario(
            "nodes that drain and nodes that are ended keep their shards until those are taken",
            vec![
                nine(),
                Ask(acquire(9, &[0]), Acquired(&[(0, 1)])),
                Ask(standing(9, Standing::Draining), Done),
                Ask(end(9), Ended(true)),
                Poll(2, &[(0, 1, 9)]),
                Ask(acquire(2, &[0]), Acquired(&[(0, 2)])),
                Poll(2, &[(0, 2, 2)]),
            ],
        ),
    ]
}
