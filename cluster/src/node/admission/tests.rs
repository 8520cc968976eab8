//! Who gets a place, and who gives it up.

use std::sync::atomic::AtomicUsize;

use super::*;

fn admission(total: usize, per_address: usize) -> Arc<HandshakeAdmission> {
    Arc::new(HandshakeAdmission::new(HandshakeLimits::new(total, per_address)))
}

fn admit(admission: &Arc<HandshakeAdmission>, addr: Option<IpAddr>) -> Result<Permit, LimitReached> {
    admission.admit(addr, &"peer")
}

fn addr(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// A connection that notes whether it has had to give way.
fn noted(admission: &Arc<HandshakeAdmission>, from: &str) -> (Permit, Arc<AtomicUsize>) {
    let permit = admit(admission, addr(from)).unwrap();
    let given = Arc::new(AtomicUsize::new(0));
    let note = given.clone();
    permit.on_give_way(move || {
        note.fetch_add(1, Ordering::Relaxed);
    });
    (permit, given)
}

fn gave_way<const N: usize>(connections: &[&(Permit, Arc<AtomicUsize>); N]) -> [usize; N] {
    connections.map(|(_, given)| given.load(Ordering::Relaxed))
}

#[test]
fn the_oldest_of_an_address_gives_way_to_its_newest_and_no_other_address_pays() {
    let admission = admission(10, 2);
    let other = noted(&admission, "192.0.2.2");
    let first = noted(&admission, "192.0.2.1");
    let second = noted(&admission, "192.0.2.1");
    let third = noted(&admission, "192.0.2.1");
    assert_eq!(gave_way(&[&other, &first, &second, &third]), [0, 1, 0, 0]);
    assert_eq!(admission.open_handshakes(), 3);
    drop(first);
    assert_eq!(admission.open_handshakes(), 3, "its place is another's");
}

#[test]
fn who_says_nothing_gives_way_before_who_has_said_its_name() {
    let admission = admission(10, 2);
    let honest = noted(&admission, "192.0.2.1");
    honest.0.peer_named(PeerProof::Cookie);
    let silent = noted(&admission, "192.0.2.1");
    let next = noted(&admission, "192.0.2.1");
    assert_eq!(gave_way(&[&honest, &silent, &next]), [0, 1, 0]);
}

/// Strangers who keep saying names would otherwise hold all places but one, and each newcomer would push out the one before it.
#[test]
fn a_crowd_that_has_said_its_names_does_not_leave_newcomers_one_place_between_them() {
    let admission = admission(512, 64);
    let crowd: Vec<_> = (0..64).map(|_| noted(&admission, "192.0.2.1")).collect();
    crowd
        .iter()
        .for_each(|(permit, _)| permit.peer_named(PeerProof::Cookie));
    let honest = noted(&admission, "192.0.2.1");
    let silent: Vec<_> = (0..31).map(|_| noted(&admission, "192.0.2.1")).collect();
    assert_eq!(
        gave_way(&[&honest]),
        [0],
        "as long as less than half of the places are taken anew"
    );
    honest.0.peer_named(PeerProof::Identity);
    let more: Vec<_> = (0..31).map(|_| noted(&admission, "192.0.2.1")).collect();
    assert_eq!(gave_way(&[&honest]), [0], "nor once it has said its name");
    assert_eq!(admission.open_handshakes(), 64);
    drop((crowd, silent, more));
}

#[test]
fn of_all_addresses_the_most_crowded_pays() {
    let admission = admission(4, 3);
    let lonely = noted(&admission, "192.0.2.1");
    let crowd = [(); 3].map(|()| noted(&admission, "192.0.2.2"));
    let next = noted(&admission, "192.0.2.3");
    assert_eq!(
        gave_way(&[&lonely, &crowd[0], &crowd[1], &crowd[2], &next]),
        [0, 1, 0, 0, 0]
    );
}

#[test]
fn peers_that_are_known_keep_their_places_and_get_those_of_strangers() {
    let admission = admission(2, 2);
    admission.expect(addr("192.0.2.1"));
    admit(&admission, addr("192.0.2.2")).unwrap().authenticated();
    let stranger = noted(&admission, "192.0.2.9");
    let dialled = noted(&admission, "192.0.2.1");
    let proved = noted(&admission, "192.0.2.2");
    assert_eq!(gave_way(&[&stranger, &dialled, &proved]), [1, 0, 0]);
    assert_eq!(
        admit(&admission, addr("192.0.2.9")).unwrap_err(),
        LimitReached::Total { limit: 2 },
        "a stranger doesn't push them out"
    );
    let again = noted(&admission, "192.0.2.1");
    assert_eq!(gave_way(&[&dialled, &proved, &again]).iter().sum::<usize>(), 1);
}

#[test]
fn who_has_to_give_way_before_it_can_is_told_later() {
    let admission = admission(1, 1);
    let first = admit(&admission, addr("192.0.2.1")).unwrap();
    let _second = admit(&admission, addr("192.0.2.1")).unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let note = told.clone();
    first.on_give_way(move || {
        note.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn those_on_their_way_out_have_a_limit_too() {
    let admission = admission(10, 2);
    let held: Vec<_> = (0..4).map(|_| noted(&admission, "192.0.2.1")).collect();
    assert_eq!(
        admit(&admission, addr("192.0.2.1")).unwrap_err(),
        LimitReached::Address { limit: 2 }
    );
    let _other = admit(&admission, addr("192.0.2.2")).unwrap();
    drop(held);
    let _next = noted(&admission, "192.0.2.1");
    assert_eq!(admission.open_handshakes(), 2);
    assert_eq!(admission.open().leaving, 0);
}

#[test]
fn what_is_known_has_a_limit() {
    let admission = admission(2, 2);
    for number in 0..2 * KNOWN as u32 {
        admission.expect(Some(IpAddr::V4(number.into())));
    }
    let open = admission.open();
    assert_eq!(open.known.len(), KNOWN);
    assert!(
        open.known
            .contains_key(&ConnectionSource::of(Some(IpAddr::V4((2 * KNOWN as u32 - 1).into()))))
    );
}

#[test]
fn an_address_is_what_one_host_has() {
    for (one, other, same) in [
        ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("::1", "::2", false),
    ] {
        assert_eq!(
            ConnectionSource::of(addr(one)) == ConnectionSource::of(addr(other)),
            same,
            "{one} and {other}"
        );
    }
}

#[test]
fn with_no_place_at_all_nobody_is_let_in() {
    admit(&admission(0, 5), addr("192.0.2.1")).unwrap_err();
    admit(&admission(5, 0), addr("192.0.2.1")).unwrap_err();
}

#[test]
fn the_total_counts_everyone_and_every_permit_comes_back_once() {
    let admission = admission(3, 2);
    let external = admit(&admission, None).unwrap();
    let authenticated = admit(&admission, addr("192.0.2.1")).unwrap();
    authenticated.authenticated();
    assert!(
        !authenticated.report(&CloseReason::ConnectionClosed),
        "it is no handshake any more"
    );
    drop(authenticated);
    assert_eq!(admission.open_handshakes(), 1);
    assert!(external.report(&CloseReason::ConnectionClosed));
    assert_eq!(admission.refusals.counts(), [("connection_closed", 1)].into());
    drop(external);
    assert_eq!(admission.open_handshakes(), 0);
    assert!(admission.open().by_source.is_empty());
}
