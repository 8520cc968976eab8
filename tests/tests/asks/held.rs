//! What happens to other messages while a handler is pending.

use ractor_host::directory::{self, DESCRIBE_VARIANT};

use crate::support::{Guest, asked, options, start, within};

#[tokio::test]
async fn messages_wait_in_their_order_until_the_handler_is_done() {
    let (asker, other) = (start().await, start().await);
    asker.cast(
        "do",
        &format!("ask {} put-off; log begun; await; log done", other.pid()),
    );
    asked(&other, 1).await;
    for number in 0..100 {
        // From natives, whose messages are ractor's, and from everybody else in turn.
        if number % 3 == 0 {
            asker.cast_natively("note", &number.to_string());
        } else {
            asker.cast("note", &number.to_string());
        }
    }
    let log = asker.ask("log", "");
    other.call("answer", "").await;
    let notes: Vec<String> = (0..100).map(|number: u8| number.to_string()).collect();
    assert_eq!(log.get().await.unwrap(), format!("begun,done,{}", notes.join(",")));
    assert_eq!(asker.call("echo", "as before").await.unwrap(), "as before");
}

#[tokio::test]
async fn a_batch_ends_with_the_cast_that_is_pending() {
    let (asker, other) = (start().await, start().await);
    // Enough of them that some are handled together.
    for round in 0..20 {
        asker.cast("note", &format!("{round}a"));
        asker.cast("note", &format!("{round}b"));
        asker.cast("do", &format!("ask {} echo; await; log {round}c", other.pid()));
        asker.cast("note", &format!("{round}d"));
    }
    let expected: Vec<String> = (0..20)
        .flat_map(|round| ["a", "b", "c", "d"].map(|part| format!("{round}{part}")))
        .collect();
    assert_eq!(asker.log().await, expected.join(","));
}

#[tokio::test]
async fn an_open_mailbox_lets_others_in() {
    let (asker, other) = (start().await, start().await);
    let answer = asker.ask("do", &format!("open; ask {} put-off; await; log late", other.pid()));
    asked(&other, 1).await;
    assert_eq!(asker.call("echo", "meanwhile").await.unwrap(), "meanwhile");
    assert_eq!(asker.call("do", "sleep 1; log early").await.unwrap(), "");
    other.call("answer", "x").await;
    assert_eq!(answer.get().await.unwrap(), "x");
    assert_eq!(asker.log().await, "early,late");
}

#[tokio::test]
async fn news_of_others_come_in() {
    let (asker, other, third) = (start().await, start().await, start().await);
    let answer = asker.ask(
        "do",
        &format!("monitor {}; ask {} put-off; news", other.pid(), third.pid()),
    );
    asked(&third, 1).await;
    let log = asker.ask("log", "");
    other.cell().stop(None);
    assert_eq!(answer.get().await.unwrap(), "terminated");
    assert_eq!(log.get().await.unwrap(), "");
}

#[tokio::test]
async fn what_an_actor_is_can_be_asked_meanwhile() {
    let (asker, other) = (start().await, start().await);
    let mut answer = asker.ask("do", &format!("ask {} put-off; await", other.pid()));
    asked(&other, 1).await;
    assert!(within(asker.ask(DESCRIBE_VARIANT, "").received()).await);
    let (port, natively) = directory::reply_port::<Vec<u8>>(None);
    let question = ractor::message::SerializedMessage::Call {
        variant: DESCRIBE_VARIANT.to_owned(),
        args: Vec::new(),
        reply: port,
        metadata: None,
    };
    asker.cell().send_serialized(question).unwrap();
    within(natively).await.unwrap();
    assert!(!answer.has_come());
}

#[tokio::test]
async fn a_handler_that_waits_for_nothing_fails_its_actor() {
    for script in ["for-ever", "pending"] {
        let mut asker = Guest::start(options()).await;
        let answer = asker.ask("do", script);
        let end = asker.end().await;
        assert!(end.contains("nothing is to come that could have it go on"), "{end}");
        if script == "for-ever" {
            assert_eq!(answer.get().await, None);
        }
    }
}

#[tokio::test]
async fn a_failure_drops_the_calls_that_were_pending() {
    let other = start().await;
    let mut asker = start().await;
    let pending = asker.ask("do", &format!("ask {} put-off; await; fail on_purpose", other.pid()));
    asked(&other, 1).await;
    let kept = asker.ask("echo", "kept");
    other.call("answer", "").await;
    assert_eq!(pending.get().await, None);
    assert_eq!(kept.get().await, None);
    assert!(asker.end().await.contains("on_purpose"));
}

#[tokio::test]
async fn what_was_kept_is_handled_by_the_next_instance() {
    use ractor_host::guest::{GuestOptions, RestartIntensity, RestartPolicy, RestartType};
    let other = start().await;
    let asker = Guest::start(GuestOptions {
        restarting: RestartPolicy::new(RestartType::Permanent, RestartIntensity::default()),
        ..options()
    })
    .await;
    let pending = asker.ask(
        "do",
        &format!("log lost; ask {} put-off; await; fail on_purpose", other.pid()),
    );
    asked(&other, 1).await;
    asker.cast("note", "one");
    asker.cast_natively("note", "two");
    let log = asker.ask("log", "");
    other.call("answer", "").await;
    assert_eq!(pending.get().await, None);
    assert_eq!(log.get().await.unwrap(), "one,two");
}

#[tokio::test]
async fn what_the_host_asks_lets_no_message_overtake_another() {
    let (waiting, holding) = ("call OTHER put-off", "ask OTHER put-off; await");
    for script in [waiting, holding] {
        let (asker, other) = (start().await, start().await);
        asker.cast("do", &script.replace("OTHER", &other.pid()));
        asked(&other, 1).await;
        asker.handle.live().confirm();
        asker.cast_natively("note", "first");
        asker.cast("note", "second");
        other.call("answer", "").await;
        assert_eq!(asker.log().await, "first,second", "{script}");
    }
}
