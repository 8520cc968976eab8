//! What comes of an ask and of a timer, and how many there may be.

use std::sync::Arc;

use ractor_host::guest::{Grants, GuestOptions, Profile};

use crate::support::{Guest, asked, limited, options, start};

#[tokio::test]
async fn a_reply_comes_to_the_handler_that_waits_for_it() {
    let (asker, other) = (start().await, start().await);
    let script = format!("ask {} echo a_reply; await", other.pid());
    assert_eq!(asker.call("do", &script).await.unwrap(), "a reply");
}

#[tokio::test]
async fn replies_come_in_any_order() {
    let (asker, slow, fast) = (start().await, start().await, start().await);
    let script = format!("ask {} put-off; ask {} echo fast; any; any", slow.pid(), fast.pid());
    let answer = asker.ask("do", &script);
    asked(&slow, 1).await;
    slow.call("answer", "slow").await;
    assert_eq!(answer.get().await.unwrap(), "fast,slow");
}

#[tokio::test]
async fn every_way_to_get_no_reply_is_told_apart() {
    let (asker, other) = (start().await, start().await);
    let pid = other.pid();
    for (ask, outcome) in [
        (format!("ask {pid} drop"), "no-reply"),
        (format!("ask {pid} fail no_such_row"), "failed: no such row"),
        (format!("ask {pid} put-off _ 20"), "timeout"),
    ] {
        assert_eq!(
            asker.call("do", &format!("{ask}; await")).await.unwrap(),
            outcome,
            "{ask}"
        );
    }
    // Not accepted, which is heard at once, and not once more.
    assert_eq!(
        asker.call("do", "ask 0:1234567890 echo").await.unwrap(),
        "unknown-actor"
    );
    let nobody = Profile {
        grants: Arc::new(Grants::default()),
        ..Profile::default()
    };
    let denied = Guest::start(GuestOptions {
        profile: Arc::new(nobody),
        ..options()
    });
    assert_eq!(
        denied.await.call("do", &format!("ask {pid} echo")).await.unwrap(),
        "denied"
    );
}

#[tokio::test]
async fn an_actor_that_ends_leaves_nobody_waiting() {
    let (asker, other) = (start().await, start().await);
    let answer = asker.ask("do", &format!("ask {} put-off; await", other.pid()));
    asked(&other, 1).await;
    other.cell().kill();
    assert_eq!(answer.get().await.unwrap(), "no-reply");
}

#[tokio::test]
async fn a_reply_larger_than_allowed_is_told_as_that() {
    let other = start().await;
    let asker = Guest::start(limited(|limits| limits.reply_bytes = 4)).await;
    let script = format!("ask {} echo 12345; await; log done", other.pid());
    asker.cast("do", &script);
    // Its own reply would be too large, too.
    assert_eq!(asker.log().await, "done");
    assert_eq!(
        asker
            .call("do", &format!("ask {} echo 1234; await", other.pid()))
            .await
            .unwrap(),
        "1234"
    );
}

#[tokio::test]
async fn what_is_cancelled_does_not_come() {
    let (asker, other) = (start().await, start().await);
    let script = format!(
        "ask {} put-off; cancel; sleep 1; ask {} echo next; any",
        other.pid(),
        other.pid()
    );
    assert_eq!(asker.call("do", &script).await.unwrap(), "true,next");
    assert_eq!(other.call("answer", "late").await.unwrap(), "", "nobody hears it");
    assert_eq!(
        asker
            .call("do", &format!("ask {} echo still_there; await", other.pid()))
            .await
            .unwrap(),
        "still there"
    );
}

#[tokio::test]
async fn a_timer_wakes_a_handler_whose_mailbox_is_held() {
    let asker = start().await;
    let answer = asker.ask("do", "sleep 1; sleep 1; log woken");
    assert_eq!(answer.get().await.unwrap(), "");
    assert_eq!(asker.log().await, "woken");
}

#[tokio::test]
async fn an_ask_alone_holds_nothing() {
    let (asker, other) = (start().await, start().await);
    let script = format!("ask {} put-off", other.pid());
    assert_eq!(asker.call("do", &script).await.unwrap(), "");
    assert_eq!(asker.call("echo", "goes on").await.unwrap(), "goes on");
}

#[tokio::test]
async fn a_guest_that_asks_in_a_loop_meets_its_limit_and_its_familys() {
    let other = start().await;
    let asker = Guest::start(limited(|limits| limits.asks = 3)).await;
    let script = format!(
        "asks 5 {} put-off; cancel; ask {} echo; count",
        other.pid(),
        other.pid()
    );
    let answer = asker.ask("do", &script);
    asked(&other, 3).await;
    other.call("answer", "now").await;
    assert_eq!(answer.get().await.unwrap(), "too-many,too-many,true,3");
    let script = format!("asks 3 {} echo x; count", other.pid());
    assert_eq!(
        asker.call("do", &script).await.unwrap(),
        "3",
        "what has come makes room"
    );

    let family = Guest::start(limited(|limits| (limits.asks, limits.family_asks) = (2, Some(2)))).await;
    let script = format!("asks 3 {} echo x; count", other.pid());
    assert_eq!(family.call("do", &script).await.unwrap(), "too-many,2");
}

#[tokio::test]
async fn wakes_that_were_not_handled_count_as_timers() {
    let asker = Guest::start(limited(|limits| limits.timers = 2)).await;
    assert_eq!(
        asker.call("do", "wake 0; wake 0; wake 0").await.unwrap(),
        "true,true,false"
    );
    asker.call("do", "log nothing").await;
    // Once they were handled there is room.
    crate::support::until("no room", async || {
        asker.call("do", "wake 600000").await.unwrap() == "true"
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_asks_can_be_outstanding() {
    let other = start().await;
    let asker = Guest::start(limited(|limits| limits.asks = 10_000)).await;
    let answer = asker.ask("do", &format!("asks 10000 {} put-off _ 250000; count", other.pid()));
    let other_limits = 1024;
    // Beyond what the other side puts off, calls are dropped, which is an outcome like any other.
    asked(&other, 10_000).await;
    other.call("answer", "x").await;
    assert_eq!(answer.get().await.unwrap(), other_limits.to_string());
}

/// The time that this thread has run, whatever else the machine does.
fn nanoseconds_on_this_thread() -> u64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split(' ').next().unwrap().parse().unwrap()
}

/// Not a promise: what it prints is for whoever changes the way of an ask.
#[tokio::test]
#[ignore = "it measures"]
async fn cost_of_an_ask_against_a_call_that_waits() {
    let (asker, other) = (
        start().await,
        Guest::start(limited(|limits| limits.deferred_replies = 100_000)).await,
    );
    for round in 0..3 {
        for (steps, many) in [("calls-in-turn", 20_000), ("asks-in-turn", 20_000), ("asks", 1_000)] {
            let begun = nanoseconds_on_this_thread();
            let script = format!("{steps} {many} {} echo x; count", other.pid());
            asker.call("do", &script).await.unwrap();
            let each = (nanoseconds_on_this_thread() - begun) / many;
            println!("round {round}: {steps}: {each} ns each");
        }
    }
}

#[tokio::test]
async fn replies_that_wait_are_bounded_in_bytes() {
    let other = start().await;
    let asker = Guest::start(limited(|limits| limits.mailbox_bytes = 1000)).await;
    let large = "x".repeat(600);
    // It is busy with a timer's handler while both come.
    let script = format!(
        "ask {0} echo {large}; ask {0} echo {large}; call {0} echo; log asked",
        other.pid()
    );
    asker.call("do", &script).await.unwrap();
    let script = format!(
        "ask {0} echo {large}; ask {0} echo {large}; call {0} echo done; cancel; any",
        other.pid()
    );
    assert_eq!(asker.call("do", &script).await.unwrap(), "done,true,overloaded");
}
