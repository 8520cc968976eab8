//! Actors that wait for each other.

use crate::support::{asked, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_ask_each_other_the_one_that_asked_last_is_told() {
    let (one, two) = (start().await, start().await);
    // Each answers the other only when it has the other's reply. Whichever of them comes to wait first, it is the second ask that closes
    // the circle.
    let inner = format!("ask_{}_echo_x+await+note_second", one.pid());
    for _ in 0..300 {
        let answer = one.ask("do", &format!("ask {} do {inner}; await", two.pid()));
        assert_eq!(answer.get().await.unwrap(), "would-deadlock,second");
    }
    assert_eq!(one.call("echo", "goes on").await.unwrap(), "goes on");
    assert_eq!(two.call("echo", "goes on").await.unwrap(), "goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ask_that_failed_for_a_circle_is_not_handled_afterwards() {
    let (one, two) = (start().await, start().await);
    let inner = format!("ask_{}_do_log|handled+await+note_second", one.pid());
    for round in 1..=300 {
        let answer = one.ask("do", &format!("ask {} do {inner}; await", two.pid()));
        // What comes behind it keeps its place.
        one.cast("do", "log behind");
        assert_eq!(answer.get().await.unwrap(), "would-deadlock,second");
        assert_eq!(one.log().await, vec!["behind"; round].join(","));
    }
}

#[tokio::test]
async fn a_call_that_closes_a_circle_is_told() {
    let (one, two) = (start().await, start().await);
    let inner = format!("call_{}_echo_x", one.pid());
    let answer = one.ask("do", &format!("ask {} do {inner}; await", two.pid()));
    assert_eq!(answer.get().await.unwrap(), "would-deadlock");
}

#[tokio::test]
async fn an_ask_of_the_actor_itself_is_told_where_the_mailbox_is_held() {
    let one = start().await;
    assert_eq!(one.call("do", "ask me echo x; await").await.unwrap(), "would-deadlock");
    assert_eq!(one.call("do", "open; ask me echo x; await").await.unwrap(), "x");
}

#[tokio::test]
async fn where_a_reply_or_a_timer_can_still_come_nothing_is_ended() {
    let (one, two, three) = (start().await, start().await, start().await);
    let inner = format!("ask_{}_echo_x+await", one.pid());
    // While the third may answer, the first may go on.
    let script = format!("ask {} do {inner}; ask {} put-off; any; any", two.pid(), three.pid());
    let mut answer = one.ask("do", &script);
    asked(&three, 1).await;
    tokio::task::yield_now().await;
    assert!(!answer.has_come());
    three.call("answer", "third").await;
    assert_eq!(answer.get().await.unwrap(), "third,would-deadlock");

    let script = format!("ask {} do {inner}; wake 20; any", two.pid());
    assert_eq!(
        one.call("do", &script).await.unwrap(),
        "true,would-deadlock",
        "once the timer is over"
    );
}

#[tokio::test]
async fn an_open_mailbox_is_in_no_circle() {
    let (one, two) = (start().await, start().await);
    let inner = format!("ask_{}_echo_x+await", one.pid());
    let answer = one.ask("do", &format!("open; ask {} do {inner}; await", two.pid()));
    assert_eq!(answer.get().await.unwrap(), "x");
}

#[tokio::test]
async fn many_that_ask_each_other_at_once_all_go_on() {
    let guests = [start().await, start().await, start().await, start().await];
    for _ in 0..50 {
        let mut answers = Vec::new();
        for (guest, next) in guests.iter().zip(guests.iter().cycle().skip(1)) {
            let next = next.pid();
            answers.push(guest.ask("do", &format!("ask {next} echo x; await")));
        }
        for answer in answers {
            let answer = answer.get().await.unwrap();
            assert!(["x", "would-deadlock"].contains(&&*answer), "{answer}");
        }
    }
}
