//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// The most connections that the kernel holds ready to be accepted.
const BACKLOG: i32 = 1024;

/// Binds a listener to `addr`, or to every address of both IP versions if there is none. Port 0: the system chooses.
pub(crate) fn bind(addr: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    let addr = match addr {
        Some(ip) => SocketAddr::new(ip, port),
        None => SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0).into(),
    };
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() && addr.ip().is_unspecified() {
        // The default differs between systems: this socket is to take IPv4, too.
        socket.set_only_v6(false)?;
    }
    // A node that restarts must get its port back while old connections are in TIME_WAIT. On Windows the option would let another
    // process take the port.
    socket.set_reuse_address(cfg!(unix))?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
