//! A bad network between two nodes: a TCP proxy that delays, loses, cuts, half-closes, freezes and heals.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::wait;

/// The most bytes that one read takes off a connection.
const CHUNK: usize = 16 * 1024;

/// What the network does to the bytes that arrive from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Passes them on.
    Fair,
    /// Passes each piece on after this long.
    Slow(Duration),
    /// Holds everything back, connections too, until the weather changes. Nobody hears of it.
    Frozen,
    /// Loses them. A stream with a hole in it is garbage to its receiver.
    Losing,
}

/// A proxy in front of one node.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Mutex<Network>>,
}

#[derive(Debug)]
struct Network {
    to: String,
    /// For what diallers send, and for what the node sends.
    weather: [Weather; 2],
    /// Both ends of each connection: the dialler's, then the node's.
    connections: Vec<(TcpStream, TcpStream)>,
    /// How many more bytes pass before everything is cut.
    until_cut: Option<usize>,
    /// The first that diallers sent.
    sent: Vec<u8>,
    over: bool,
}

impl Proxy {
    /// A proxy to a node's address, in fair weather.
    ///
    /// # Panics
    /// The system has no port for it.
    #[track_caller]
    pub fn to(address: &str) -> Self {
        let listener = match TcpListener::bind(("127.0.0.1", 0)) {
            Ok(listener) => listener,
            Err(error) => panic!("a port for a proxy: {error}"),
        };
        let network = Arc::new(Mutex::new(Network {
            to: address.to_owned(),
            weather: [Weather::Fair; 2],
            connections: Vec::new(),
            until_cut: None,
            sent: Vec::new(),
            over: false,
        }));
        let own_address = match listener.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("the address of a proxy: {error}"),
        };
        let shared = Arc::clone(&network);
        thread::spawn(move || accept(&listener, &shared));
        Self {
            address: own_address,
            network,
        }
    }

    /// Where to dial the node through it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes the weather.
    pub fn set(&self, weather: Weather) {
        lock(&self.network).weather = [weather; 2];
    }

    /// Changes the weather for what this side sends. The other side's stays.
    pub fn set_from(&self, side: Side, weather: Weather) {
        *lock(&self.network).weather_from(side) = weather;
    }

    /// Cuts every connection now.
    pub fn cut(&self) {
        lock(&self.network).cut();
    }

    /// Cuts every connection once this many more bytes have passed.
    pub fn cut_after(&self, bytes: usize) {
        lock(&self.network).until_cut = Some(bytes);
    }

    /// What diallers have sent, up to some kilobytes: what somebody who listens could send again.
    pub fn overheard(&self) -> Vec<u8> {
        lock(&self.network).sent.clone()
    }

    /// Tells the node that the dialler will send nothing more; the other direction stays.
    pub fn half_close(&self) {
        for (_, node) in &lock(&self.network).connections {
            // One that is gone is as closed as it can be.
            drop(node.shutdown(Shutdown::Write));
        }
    }

    /// Sends bytes to the node in the middle of what the dialler sends.
    ///
    /// # Panics
    /// There is no connection.
    #[track_caller]
    pub fn inject(&self, bytes: &[u8]) {
        let mut network = lock(&self.network);
        let sent = network.connections.last_mut().map(|(_, node)| node.write_all(bytes));
        assert!(matches!(sent, Some(Ok(()))), "injecting bytes: {sent:?}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut network = lock(&self.network);
        network.over = true;
        network.cut();
        drop(network);
        // Wakes the accepting thread, which then ends.
        drop(TcpStream::connect(self.address));
    }
}

impl Network {
    fn weather_from(&mut self, side: Side) -> &mut Weather {
        let [dialler, node] = &mut self.weather;
        match side {
            Side::Dialler => dialler,
            Side::Node => node,
        }
    }

    fn cut(&mut self) {
        for (dialler, node) in self.connections.drain(..) {
            drop(dialler.shutdown(Shutdown::Both));
            drop(node.shutdown(Shutdown::Both));
        }
    }
}

fn lock(network: &Mutex<Network>) -> MutexGuard<'_, Network> {
    network.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, network: &Arc<Mutex<Network>>) {
    for dialler in listener.incoming().map_while(Result::ok) {
        if lock(network).over {
            return;
        }
        let network = Arc::clone(network);
        thread::spawn(move || connect(dialler, &network));
    }
}

/// Joins a new connection to the node, unless the node is down: then the dialler's ends at once.
fn connect(dialler: TcpStream, network: &Arc<Mutex<Network>>) -> Option<()> {
    await_thaw(network, Side::Dialler)?;
    let to = lock(network).to.clone();
    let node = TcpStream::connect(to).ok()?;
    for stream in [&dialler, &node] {
        stream.set_nodelay(true).ok()?;
    }
    let ends = (dialler.try_clone().ok()?, node.try_clone().ok()?);
    lock(network).connections.push(ends);
    let back = (node.try_clone().ok()?, dialler.try_clone().ok()?, Arc::clone(network));
    thread::spawn(move || pass(back.0, back.1, Side::Node, &back.2));
    pass(dialler, node, Side::Dialler, network)
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever has dialled.
    Dialler,
    /// What the proxy stands in front of.
    Node,
}

/// One direction of a connection.
fn pass(mut from: TcpStream, mut to: TcpStream, side: Side, network: &Mutex<Network>) -> Option<()> {
    let mut chunk = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        await_thaw(network, side)?;
        if side == Side::Dialler && lock(network).sent.len() < CHUNK {
            lock(network).sent.extend(chunk.get(..read)?);
        }
        let weather = *lock(network).weather_from(side);
        if weather == Weather::Losing {
            continue;
        }
        if let Weather::Slow(delay) = weather {
            thread::sleep(delay);
        }
        let (length, cut) = until_cut(&mut lock(network), read);
        to.write_all(chunk.get(..length)?).ok()?;
        if cut {
            lock(network).cut();
        }
    }
    // The end of one direction is the end of that direction alone.
    to.shutdown(Shutdown::Write).ok()
}

/// How many of these bytes may still pass, and whether that is all.
fn until_cut(network: &mut Network, read: usize) -> (usize, bool) {
    match network.until_cut {
        Some(left) if left <= read => {
            network.until_cut = None;
            (left, true)
        }
        Some(left) => {
            network.until_cut = Some(left - read);
            (read, false)
        }
        None => (read, false),
    }
}

/// None once the proxy is gone.
fn await_thaw(network: &Mutex<Network>, side: Side) -> Option<()> {
    loop {
        let (over, weather) = {
            let mut network = lock(network);
            (network.over, *network.weather_from(side))
        };
        if over {
            return None;
        }
        if weather != Weather::Frozen {
            return Some(());
        }
        thread::sleep(wait::POLL);
    }
}
