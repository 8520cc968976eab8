//! Actors that wait in no circle, whatever they ask, cancel and leave behind: none of their calls is refused, and nothing is used up.
#![expect(clippy::indexing_slicing, reason = "a test that fails should panic")]

use ractor_host::guest::{GuestOptions, RestartIntensity, RestartPolicy, RestartType};

use crate::support::{Answer, Guest, limited, until};

/// The asks that each of them may have at once.
const ASKS: usize = 300;

/// What comes next, for a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        // The generator splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut next = self.0;
        next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((next ^ (next >> 31)) >> 33).unwrap() % bound
    }
}

async fn guests() -> Vec<Guest> {
    let mut guests = Vec::new();
    for _ in 0..4 {
        let options = limited(|limits| (limits.asks, limits.family_asks) = (ASKS, Some(ASKS)));
        let restarting = RestartPolicy::new(RestartType::Permanent, RestartIntensity::default());
        guests.push(Guest::start(GuestOptions { restarting, ..options }).await);
    }
    guests
}

/// A script for the guest `at`. It waits for guests behind it in the row alone, so there is never a circle.
fn script(chance: &mut Chance, pids: &[String], at: usize) -> String {
    let mut script = String::from(["log held; ", "open; "][chance.below(2)]);
    let mut asked = 0;
    for _ in 0..=chance.below(5) {
        let behind = pids.len() - at - 1;
        if behind == 0 || chance.below(5) == 0 {
            script += ["sleep 1; ", "wake 1; ", "sleep 0; "][chance.below(3)];
            continue;
        }
        let other = &pids[at + 1 + chance.below(behind)];
        let last = &pids[pids.len() - 1];
        let (step, begins) = match chance.below(8) {
            0 => (format!("ask {other} echo x; "), true),
            1 => (format!("ask {other} put-off x 3; "), true),
            2 => (format!("call {other} echo x; "), false),
            3 => (format!("call {other} put-off x 2; "), false),
            // The other one waits, too.
            4 => (format!("ask {other} do ask_{last}_put-off_x_2+sleep_1; "), true),
            5 if other != last => (format!("ask {other} do ask_{last}_echo_x+await; "), true),
            kind if asked > 0 => {
                asked -= 1;
                (["cancel; ", "any; "][kind % 2].to_owned(), false)
            }
            _ => continue,
        };
        script += &step;
        asked += usize::from(begins);
    }
    if chance.below(2) == 0 {
        script += &"any; ".repeat(asked);
    }
    // Of anybody, and not waited for: it outlives the handler.
    let anybody = &pids[chance.below(pids.len())];
    script
        + &[
            format!("ask {anybody} put-off x 4"),
            format!("ask {anybody} echo"),
            String::new(),
        ][chance.below(3)]
}

/// Nobody has more than was asked for a moment ago.
async fn assert_nothing_is_used_up(guests: &[Guest]) {
    for (guest, other) in guests.iter().zip(guests.iter().cycle().skip(1)) {
        let all = format!("open; asks {ASKS} {} echo x; count", other.pid());
        until("asks are left over", async || {
            guest.call("do", &all).await == Some(ASKS.to_string())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_will_become_free_is_never_refused() {
    let guests = guests().await;
    let pids: Vec<String> = guests.iter().map(Guest::pid).collect();
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut answers: Vec<(String, Answer)> = Vec::new();
        for _ in 0..12 {
            let at = chance.below(guests.len());
            let script = script(&mut chance, &pids, at);
            answers.push((format!("{at}: {script}"), guests[at].ask("do", &script)));
        }
        for (script, answer) in answers {
            let answer = answer.get().await;
            let is_free = answer.as_ref().is_some_and(|answer| !answer.contains("would-deadlock"));
            assert!(is_free, "seed {seed}: {script}: {answer:?}");
        }
    }
    assert_nothing_is_used_up(&guests).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_end_with_their_instance_and_are_given_back() {
    let guests = guests().await;
    let pids: Vec<String> = guests.iter().map(Guest::pid).collect();
    for seed in 1000..1030 {
        let mut chance = Chance(seed);
        let mut answers = Vec::new();
        for number in 0..12 {
            let at = chance.below(guests.len());
            answers.push(guests[at].ask("do", &script(&mut chance, &pids, at)));
            if number % 4 == 3 {
                guests[chance.below(guests.len())].handle.restart("test");
            }
        }
        for answer in answers {
            // None of a handler that went with its instance.
            let answer = answer.get().await.unwrap_or_default();
            assert!(!answer.contains("would-deadlock"), "seed {seed}: {answer}");
        }
    }
    assert_nothing_is_used_up(&guests).await;
}
