//! Whoever claims to be a node that it isn't: at a peer's address, with a peer's name, with a proof that it has overheard.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::proxy::Proxy;
use ractor_host_tests::wait;
use ractor_host_tests::wire::{Field, Fields, frame, middle, read_frame, strip, write_frame};

use crate::{logged, node, wait_log};

/// The fields of a node's introduction: its name, its flags, and where it says that it is.
const NAME: u32 = 1;
const FLAGS: u32 = 2;
const ADDRESS: u32 = 3;

/// Somebody without the cookie who has a peer's port for a while.
struct Impostor {
    listener: Arc<TcpListener>,
    port: u16,
    deceived: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Impostor {
    /// Says to everybody who dials that it is whoever `claims` makes of the dialler's introduction.
    fn start(claims: impl Fn(&Fields) -> Fields + Send + 'static) -> Self {
        let listener = Arc::new(TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let port = listener.local_addr().unwrap().port();
        let (deceived, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (accepts, counts, ends) = (listener.clone(), deceived.clone(), over.clone());
        thread::spawn(move || {
            for mut victim in accepts.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                deceive(&mut victim, &claims);
                counts.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            listener,
            port,
            deceived,
            over,
        }
    }

    /// Waits until it has had this many victims.
    fn wait_victims(&self, victims: usize) {
        let deceived = || self.deceived.load(Ordering::Relaxed);
        wait::until("victims of an impostor", deceived, |deceived| *deceived >= victims);
    }

    /// Gives the port to whoever has a right to it.
    fn leave(self) -> String {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        let accepts = Arc::downgrade(&self.listener);
        drop(self.listener);
        wait::until("the impostor to leave", || accepts.strong_count(), |count| *count == 0);
        self.port.to_string()
    }
}

/// Goes through the handshake as far as somebody without the cookie comes.
fn deceive(victim: &mut TcpStream, claims: &impl Fn(&Fields) -> Fields) -> Option<()> {
    let said = Fields::parse(&read_frame(victim).ok()?)?.message(1)?.message(1)?;
    let claimed = claims(&said);
    let challenge = Fields(vec![
        (1, Field::Bytes(claimed.bytes(NAME)?.to_vec())),
        (2, Field::Bytes(claimed.bytes(FLAGS)?.to_vec())),
        (3, Field::Number(5)),
        (4, Field::Bytes(claimed.bytes(ADDRESS)?.to_vec())),
        (100, Field::Bytes(vec![1; 16])),
    ]);
    // Nothing is wrong with going on: a status of no fields is OK.
    let status = Fields::default().within(2).within(1).to_bytes();
    write_frame(victim, &status).ok()?;
    write_frame(victim, &challenge.within(4).within(1).to_bytes()).ok()?;
    read_frame(victim).ok()?;
    let guess = Fields(vec![(1, Field::Bytes(vec![0; 32]))]);
    write_frame(victim, &guess.within(6).within(1).to_bytes()).ok()
}

/// The introduction of the dialler itself, word for word.
fn as_the_dialler(dialler: &Fields) -> Fields {
    dialler.clone()
}

#[test]
fn an_impostor_that_has_had_a_peers_port_keeps_nobody_from_that_peer() {
    let impostor = Impostor::start(as_the_dialler);
    let peer = format!("127.0.0.1:{}", impostor.port);
    let mut alpha = node("alpha", &["--peer", &peer]);
    impostor.wait_victims(3);
    assert_eq!(logged(&mut alpha, "is this very node"), 0);
    let port = impostor.leave();
    let _beta = node("beta", &["--port", &port]);
    alpha.wait_session("beta@localhost");
}

/// As above with the introduction of a node that the dialler is linked to.
#[test]
fn an_impostor_with_the_name_of_a_linked_node_delays_the_dialling_and_no_more() {
    let gamma = node("gamma", &[]);
    let gammas = introduction_of(&gamma);
    let impostor = Impostor::start(move |_| gammas.clone());
    let other = format!("127.0.0.1:{}", impostor.port);
    let mut alpha = node("alpha", &["--peer", gamma.address(), "--peer", &other]);
    alpha.wait_session("gamma@localhost");
    // Not another victim: the address may have been dialled once only, and is then believed for a minute.
    wait_log(&mut alpha, "there is a session with that node already");
    // The end of the link is the end of what the impostor could make of it.
    let port = impostor.leave();
    let _beta = node("beta", &["--port", &port]);
    drop(gamma);
    alpha.wait_session("beta@localhost");
}

/// What a node says of itself to whoever asks.
fn introduction_of(node: &Peer) -> Fields {
    let mut asking = TcpStream::connect(node.address()).unwrap();
    let own = Fields(vec![
        (NAME, Field::Bytes(b"nobody@localhost".to_vec())),
        (FLAGS, Field::Bytes(vec![8, 1])),
        (ADDRESS, Field::Bytes(b"localhost:1".to_vec())),
        (4, Field::Number(1)),
    ]);
    write_frame(&mut asking, &own.within(1).within(1).to_bytes()).unwrap();
    read_frame(&mut asking).unwrap();
    let challenge = Fields::parse(&read_frame(&mut asking).unwrap()).unwrap();
    let challenge = challenge.message(1).unwrap().message(4).unwrap();
    Fields(vec![
        (NAME, Field::Bytes(challenge.bytes(1).unwrap().to_vec())),
        (FLAGS, Field::Bytes(challenge.bytes(2).unwrap().to_vec())),
        (ADDRESS, Field::Bytes(challenge.bytes(4).unwrap().to_vec())),
    ])
}

#[test]
fn a_node_that_lists_itself_says_so_once() {
    let port = free_port();
    let own = format!("127.0.0.1:{port}");
    let mut alpha = node("alpha", &["--port", &port, "--peer", &own]);
    wait_log(&mut alpha, "a peer's address is this very node");
    assert_eq!(logged(&mut alpha, "not connected"), 0);
}

/// A port that nobody has at this moment.
fn free_port() -> String {
    let listener = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// As two machines are that have the names and ports of one template.
#[cfg(target_os = "linux")]
#[test]
fn two_nodes_that_give_one_hostname_and_port_are_linked() {
    let port = free_port();
    let beta = node("beta", &["--listen", "127.0.0.3", "--port", &port]);
    let mut alpha = node(
        "alpha",
        &["--listen", "127.0.0.2", "--port", &port, "--peer", beta.address()],
    );
    alpha.wait_session("beta@localhost");
}

/// Gamma says that it is at `localhost` and beta's port, which is where alpha looks for beta.
#[cfg(target_os = "linux")]
#[test]
fn a_node_that_says_it_is_at_anothers_address_does_not_stop_the_dialling() {
    let port = free_port();
    let alpha_port = free_port();
    let betas = format!("localhost:{port}");
    let mut alpha = node("alpha", &["--port", &alpha_port, "--peer", &betas]);
    let alphas = alpha.address().to_owned();
    let _gamma = node("gamma", &["--listen", "127.0.0.2", "--port", &port, "--peer", &alphas]);
    alpha.wait_session("gamma@localhost");
    let _beta = node("beta", &["--port", &port]);
    alpha.wait_session("beta@localhost");
    alpha.wait_session("gamma@localhost");
}

#[test]
fn a_proof_that_was_overheard_is_refused() {
    let mut beta = node("beta", &[]);
    let proxy = Proxy::to(beta.address());
    let mut alpha = node("alpha", &["--peer", &proxy.address()]);
    alpha.wait_session("beta@localhost");
    let overheard = proxy.overheard();
    drop(alpha);
    beta.wait("sessions", "");
    let mut again = TcpStream::connect(beta.address()).unwrap();
    std::io::Write::write_all(&mut again, &overheard).unwrap();
    wait_log(&mut beta, "reason=\"wrong_cookie\"");
}

#[test]
fn a_proof_that_somebody_takes_away_in_one_direction_is_missed() {
    let beta = node("beta", &[]);
    let address = middle(beta.address(), |payload, is_diallers| match is_diallers {
        true => strip(payload),
        false => payload,
    });
    let mut alpha = node("alpha", &["--peer", &address.to_string()]);
    wait_log(&mut alpha, "the handshake was changed on its way");
    alpha.wait("sessions", "");
}

#[test]
fn nodes_that_refuse_stock_peers_are_not_taken_for_such() {
    let mut beta = node("beta", &["--stock-peers", "refused"]);
    let address = middle(beta.address(), |payload, _| strip(payload));
    let mut alpha = node("alpha", &["--peer", &address.to_string()]);
    wait_log(&mut beta, "reason=\"stock_peer\"");
    alpha.wait("sessions", "");
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", beta.address()]);
    wait_log(&mut beta, "stock_peers = false");
    stock.wait("sessions", "");
    // And with nobody in between.
    let mut gamma = node("gamma", &["--peer", beta.address()]);
    gamma.wait_session("beta@localhost");
}

/// The time for which a stranger who was thrown out stays away. With 160 of them and 64 places each keeps its place for a sixth of a second, in
/// which a peer has to get in on a busy machine, too.
const AWAY: Duration = Duration::from_millis(250);

/// Strangers who come again when they are thrown out.
struct Crowd(Arc<AtomicBool>);

impl Crowd {
    fn at(address: &str, count: usize) -> Self {
        let over = Arc::<AtomicBool>::default();
        for _ in 0..count {
            let (address, over) = (address.to_owned(), over.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let Ok(mut stranger) = TcpStream::connect(&address) else {
                        continue;
                    };
                    drop(stranger.set_read_timeout(Some(wait::PATIENCE)));
                    drop(read_frame(&mut stranger));
                    thread::sleep(AWAY);
                }
            });
        }
        Self(over)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_crowd_of_strangers_at_a_peers_own_address_keeps_no_peer_out() {
    let mut beta = node("beta", &[]);
    let crowd = Crowd::at(beta.address(), 160);
    wait_log(&mut beta, "reason=\"gave_way\"");
    let mut ours = node("ours", &["--peer", beta.address()]);
    ours.wait_session("beta@localhost");
    let mut stock = Peer::start(Kind::Stock, "stock", &[]);
    let connect = format!("connect {}", beta.address());
    wait::until(
        "a stock peer to get in",
        || {
            stock.run(&connect);
            stock.run("sessions")
        },
        |sessions| sessions.contains("beta@localhost"),
    );
    drop(crowd);
}

/// Whoever has recorded one answer to a challenge of 32 bits waits for that challenge to come again.
#[test]
fn who_fails_again_and_again_sees_the_same_challenge_again_and_again() {
    let mut beta = node("beta", &[]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let mut stranger = TcpStream::connect(beta.address()).unwrap();
        let own = Fields(vec![
            (NAME, Field::Bytes(b"stock@localhost".to_vec())),
            (ADDRESS, Field::Bytes(b"localhost:1".to_vec())),
        ]);
        stranger_writes(&mut stranger, &frame(&own.within(1).within(1).to_bytes()));
        read_frame(&mut stranger).unwrap();
        let challenge = Fields::parse(&read_frame(&mut stranger).unwrap()).unwrap();
        let challenge = challenge.message(1).unwrap().message(4).unwrap();
        seen.insert(
            challenge
                .0
                .into_iter()
                .find(|(number, _)| *number == 3)
                .map(|(_, field)| format!("{field:?}")),
        );
    }
    assert!(seen.len() < 30, "{} of 60", seen.len());
    // An honest one can answer any.
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", beta.address()]);
    stock.wait_session("beta@localhost");
    beta.wait_session("stock@localhost");
}

fn stranger_writes(stranger: &mut TcpStream, bytes: &[u8]) {
    std::io::Write::write_all(stranger, bytes).unwrap();
}

#[test]
fn of_two_stock_nodes_of_one_name_the_first_one_stays() {
    let mut beta = node("beta", &[]);
    let connect = format!("connect {}", beta.address());
    let mut first = Peer::start(Kind::Stock, "twin", &[]);
    first.run(&connect);
    beta.wait_session("twin@localhost");
    let mut second = Peer::start(Kind::Stock, "twin", &[]);
    // Chance would have had ten opportunities to decide for it.
    for turned_away in 1..=10 {
        second.run(&connect);
        let what = "the second node of a name to be turned away";
        wait::until(
            what,
            || second.count_events("disconnected"),
            |seen| *seen >= turned_away,
        );
    }
    assert_eq!(first.count_events("disconnected"), 0);
    wait_log(&mut beta, "a node twin@localhost is connected already");
}
