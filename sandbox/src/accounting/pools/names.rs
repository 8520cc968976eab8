//! Look-ups of names for guests, without a thread for each: `/etc/hosts`, then the servers of `/etc/resolv.conf` or of node.toml.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::read_system_conf;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

/// Look-ups of one family at a time. Further ones wait.
pub(super) const OF_A_FAMILY: usize = 8;

/// Look-ups of all families at a time, each of which may take a few sockets. Further ones wait.
const OF_ALL: usize = 128;

/// The longest time for a look-up, with the wait for its place.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest time until a change of the system's files is noticed.
const FRESH: Duration = Duration::from_secs(5);

/// Answers that are remembered, each for as long as it says.
const REMEMBERED: u64 = 1024;

/// The files that say how this system looks up names.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAddress {
    /// There is no such name, or it has no address.
    #[error("there is no address of this name")]
    Unknown,
    /// The servers didn't answer, or not with what was asked.
    #[error("no server gave an answer: {0}")]
    NoAnswer(String),
    /// It took too long.
    #[error("no answer came within {PATIENCE:?}")]
    TimedOut,
    /// Others took too long.
    #[error("{OF_A_FAMILY} look-ups of this actor's family, or {OF_ALL} of all, took longer than {PATIENCE:?}")]
    NoPlace,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Names {
    /// In place of the system's.
    servers: Vec<SocketAddr>,
    places: Semaphore,
    current: Mutex<Option<Current>>,
}

impl Default for Names {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// The resolver by what the system's files said last.
#[derive(Debug)]
struct Current {
    resolver: Arc<TokioResolver>,
    looked: Instant,
    changed: Changed,
}

/// When the files last changed.
type Changed = [Option<SystemTime>; FILES.len()];

impl Names {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self {
            servers,
            places: Semaphore::new(OF_ALL),
            current: Mutex::new(None),
        }
    }

    /// The addresses of a name. Whoever stops waiting has asked for nothing.
    pub(super) async fn look_up(&self, family: &Semaphore, name: &str) -> Result<Vec<IpAddr>, NoAddress> {
        let began = Instant::now();
        let places = async {
            // Neither is ever closed.
            let of_family = family.acquire().await.ok()?;
            Some((of_family, self.places.acquire().await.ok()?))
        };
        // Apart from the look-up, so that a guest learns whether names are slow or others are in its way.
        let places = timeout(PATIENCE, places).await.ok().flatten();
        let _places = places.ok_or(NoAddress::NoPlace)?;
        let looking = async {
            let resolver = self
                .current()
                .await
                .map_err(|error| NoAddress::NoAnswer(error.to_string()))?;
            let found = resolver.lookup_ip(name).await.map_err(|error| no_address(&error))?;
            Ok(found.iter().collect::<Vec<_>>())
        };
        // One patience for both waits, or a guest would wait twice as long as the limit says.
        let left = PATIENCE.saturating_sub(began.elapsed());
        let found = timeout(left, looking).await.map_err(|_| NoAddress::TimedOut)??;
        if found.is_empty() {
            Err(NoAddress::Unknown)
        } else {
            Ok(found)
        }
    }

    async fn current(&self) -> Result<Arc<TokioResolver>, NetError> {
        // Held over the reading: those that come meanwhile wait for its outcome and don't read the files again.
        // Whoever is dropped here lets go of it, and nothing has changed.
        let mut current = self.current.lock().await;
        if let Some(current) = &*current
            && current.looked.elapsed() < FRESH
        {
            return Ok(current.resolver.clone());
        }
        let known = current
            .as_ref()
            .map(|current| (current.changed, current.resolver.clone()));
        let servers = self.servers.clone();
        let read = tokio::task::spawn_blocking(move || {
            // The times before the contents: a change in between is found at the next look, and not missed.
            let changed = FILES.map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok());
            match known {
                // The old resolver keeps the answers that it remembers.
                Some((known, resolver)) if known == changed => Ok::<_, NetError>((changed, resolver)),
                _ => Ok((changed, Arc::new(resolver(&servers)?))),
            }
        });
        let (changed, resolver) = read.await.map_err(io::Error::other)??;
        *current = Some(Current {
            resolver: resolver.clone(),
            looked: Instant::now(),
            changed,
        });
        Ok(resolver)
    }
}

/// A resolver by the system's files, which are read here.
fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let (mut config, mut options) = read_system_conf().unwrap_or_else(|error| {
        // As the C library has it.
        tracing::debug!(%error, "/etc/resolv.conf names no server");
        let local = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        (ResolverConfig::from_name_servers(vec![local]), ResolverOpts::default())
    });
    if !servers.is_empty() {
        config.name_servers = servers.iter().map(name_server).collect();
    }
    options.use_hosts_file = ResolveHosts::Always;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.cache_size = REMEMBERED;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn no_address(error: &NetError) -> NoAddress {
    if error.is_no_records_found() {
        NoAddress::Unknown
    } else {
        NoAddress::NoAnswer(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::*;

    fn family() -> Semaphore {
        Semaphore::new(OF_A_FAMILY)
    }

    #[tokio::test]
    async fn the_file_of_hosts_comes_before_any_server() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Names::new(vec![silent.local_addr().unwrap()]);
        let found = names.look_up(&family(), "localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[tokio::test]
    async fn an_answer_is_that_of_the_server_that_is_named() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Names::new(vec![server.local_addr().unwrap()]);
        let answering = tokio::spawn(answer(server));
        let found = names.look_up(&family(), "db.example.").await.unwrap();
        assert_eq!(found, [IpAddr::from([192, 0, 2, 7])]);
        answering.abort();
    }

    /// Answers questions for IPv4 with one address, and all others with none.
    async fn answer(server: UdpSocket) {
        let mut packet = [0; 512];
        loop {
            let (len, from) = server.recv_from(&mut packet).await.unwrap();
            let question = &packet[12..len];
            let end = 12 + question.iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_v4 = packet[end - 3] == 1;
            let mut reply = packet[..end].to_vec();
            // An answer, with recursion; one question, and the number of answers.
            reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_v4), 0, 0, 0, 0]);
            if is_v4 {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
            }
            server.send_to(&reply, from).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_leaves_nothing_behind() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Arc::new(Names::new(vec![silent.local_addr().unwrap()]));
        let family = Arc::new(family());
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..2 * OF_A_FAMILY {
            let (names, family) = (names.clone(), family.clone());
            asked.spawn(async move { names.look_up(&family, &format!("{number}.example.")).await });
        }
        while let Some(outcome) = asked.join_next().await {
            let outcome = outcome.unwrap();
            assert!(
                matches!(
                    outcome,
                    Err(NoAddress::TimedOut | NoAddress::NoPlace | NoAddress::NoAnswer(_))
                ),
                "{outcome:?}"
            );
        }
        assert_eq!(names.places.available_permits(), OF_ALL, "nothing is left behind");
        assert_eq!(family.available_permits(), OF_A_FAMILY);
    }
}
