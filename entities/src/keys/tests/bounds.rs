//! What is kept: how much of it, for how long, and from which callers.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_came_of_a_call_is_kept_for_ten_minutes() {
    let world = World::new().await;
    assert_eq!(world.count("one", 5).await, Ok(1));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.count("two", 6).await, Ok(2));
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert_eq!((world.count("one", 5).await, world.stored().len()), (Ok(1), 2));
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(world.stored().len(), 1, "the node has the store forget");
    // It is a new call.
    assert_eq!(world.count("one", 7).await, Ok(3));
    world.passivate().await;
    assert_eq!(
        (world.count("two", 6).await, world.count("one", 7).await),
        (Ok(2), Ok(3))
    );
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert!(world.stored().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_an_entity_is_bounded_and_nothing_is_forgotten_for_that() {
    let world = World::new().await;
    let till = world.till();
    let large = async |key: usize, bytes: u64| {
        let key = key.to_string();
        let keyed = till.with_idempotency_key(&key);
        keyed.call(|reply| TillMsg::Large(bytes, reply), SOON).await
    };
    // Longer than it may be: whoever calls first has it, and nobody has it handled again.
    let most = REPLY_BYTES as u64;
    assert_eq!(large(0, most + 1).await.map(|reply| reply.len()), Ok(REPLY_BYTES + 1));
    let again = large(0, most + 1).await;
    assert!(
        matches!(&again, Err(CallError::Failed(reason)) if reason.contains("was not kept")),
        "{again:?}"
    );
    assert_eq!(world.counted(1).await, 1);
    let mut kept = 0;
    let refused = loop {
        kept += 1;
        // What is left by long ones is filled with short ones.
        match large(kept, if kept < 20 { most } else { 1 }).await {
            Ok(_) => assert!(kept < 10_000),
            Err(refused) => break refused,
        }
    };
    assert!(
        matches!(&refused, CallError::Failed(reason) if reason.starts_with("overloaded: ")),
        "{refused:?}"
    );
    let stored: usize = world.stored().iter().map(KeptReply::bytes).sum();
    assert!((KEPT_BYTES / 2..=KEPT_BYTES).contains(&stored), "{stored}");
    assert_eq!(
        large(1, most).await.map(|reply| reply.len()),
        Ok(REPLY_BYTES),
        "all that was kept is there"
    );
    // Calls without keys are handled, and after ten minutes those with keys are.
    world.counted(1).await;
    tokio::time::sleep(KEPT_FOR).await;
    assert_eq!(large(100_000, 1).await, Ok(vec![7]));
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(world.stored().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_type_that_does_not_write_before_it_replies_takes_no_call_with_a_key() {
    for durability in [Durability::None, Durability::Every(Duration::from_secs(3_600))] {
        let world = World::of(durability).await;
        let refused = said(world.count("one", 5).await);
        let names_its_key = refused.contains(&format!("[entities.{}]", world.of)) && refused.contains("durability");
        assert!(names_its_key, "{refused}");
        assert_eq!(world.counted(5).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_makes_a_call_with_a_key_by_hand() {
    let world = World::new().await;
    let till = world.till();
    let sent = async |variant: &str, args: Vec<u8>| {
        let (reply, comes) = reply_port::<Vec<u8>>(SOON);
        let message = SerializedMessage::Call {
            variant: variant.to_owned(),
            args,
            reply,
            metadata: None,
        };
        send(till.entity(), message).unwrap();
        comes.await
    };
    let inner = pack([&5_u64.to_be_bytes()[..]]);
    let forged = pack([&[0; 16], b"native:", b"one", b"Count", &inner]);
    for args in [forged, Vec::new(), vec![0xff; 64]] {
        let refused = format!("{:?}", sent(KEYED_VARIANT, args).await);
        assert!(refused.contains("made by hand"), "{refused}");
    }
    assert_eq!(
        sent("Count", inner).await,
        Ok(1_u64.to_be_bytes().to_vec()),
        "it is what a message is made of"
    );
    let (reply, _comes) = reply_port::<Vec<u8>>(SOON);
    let nested = SerializedMessage::Call {
        variant: KEYED_VARIANT.to_owned(),
        args: Vec::new(),
        reply,
        metadata: None,
    };
    let scope = Scope::new("native", "");
    assert_eq!(
        keyed(till.entity(), &scope, "one", nested).err(),
        Some(KeyRefused::Reserved)
    );
    let cast = TillMsg::Answer.serialize().unwrap();
    assert_eq!(
        keyed(till.entity(), &scope, "one", cast).err(),
        Some(KeyRefused::NoCall)
    );
    assert!(world.stored().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_knows_no_keys() {
    let world = World::new().await;
    assert_eq!(world.count("one", 5).await, Ok(1));
    world.entities.delete(world.till().entity()).await.unwrap();
    assert!(world.stored().is_empty());
    assert_eq!(world.count("one", 5).await, Ok(1));
    assert_eq!(world.keyed("two", TillMsg::CountAndDelete).await, Ok(2));
    world.ends().await;
    assert!(world.stored().is_empty());
    assert_eq!((world.counted(5).await, world.count("one", 5).await), (0, Ok(1)));
}
