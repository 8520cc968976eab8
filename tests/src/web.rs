//! A server of HTTP/1.1, with and without TLS, that behaves well or badly as its paths ask.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Certificates;
use crate::wait;

/// The bytes of an endless body or header that are written at once.
const CHUNK: usize = 16 << 10;

/// The first bytes of TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// A running server. What it does is up to the path:
///
/// | path | answer |
/// |---|---|
/// | `/hello` | `hello` |
/// | `/echo` | the method, and the body of the request |
/// | `/redirect` | 302, to `/hello` |
/// | `/never` | none, until the client has gone |
/// | `/stuck` | the beginning of a body, and nothing more until the client has gone |
/// | `/flood` | a body without end |
/// | `/headers` | headers without end |
/// | `/continue` | interim responses without end |
/// | `/short` | less than it promises |
/// | `/nonsense` | not HTTP |
pub struct WebServer {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tls: Option<Arc<ServerConfig>>,
    open: AtomicUsize,
    /// The path of every request, in order.
    paths: Mutex<Vec<String>>,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Request {
    method: String,
    path: String,
    body: Vec<u8>,
}

impl WebServer {
    /// A server of plain HTTP.
    ///
    /// # Panics
    /// There is no port for it.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(None)
    }

    /// A server of HTTPS, with this certificate.
    ///
    /// # Panics
    /// The certificate is no good, or there is no port for it.
    #[track_caller]
    pub fn start_tls(certificates: &Certificates) -> Self {
        Self::with(Some(certificates.server()))
    }

    #[track_caller]
    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((listener, address.port()))
        });
        let (listener, port) = match listener {
            Ok(listening) => listening,
            Err(error) => panic!("starting a web server: {error}"),
        };
        let shared = Arc::new(Shared {
            tls,
            ..Shared::default()
        });
        let all = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = all.clone();
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, shared }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL with this path, by the address.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// The paths that were asked for so far.
    pub fn paths(&self) -> Vec<String> {
        self.shared.paths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this many clients are connected.
    ///
    /// # Panics
    /// That doesn't come to be.
    #[track_caller]
    pub fn wait_open(&self, clients: usize) {
        let open = || self.shared.open.load(Ordering::SeqCst);
        wait::until(&format!("{clients} clients of a web server"), open, |open| {
            *open == clients
        });
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        self.open.fetch_add(1, Ordering::SeqCst);
        // An error is that the client has gone.
        drop(match &self.tls {
            None => self.answer(stream),
            Some(config) => ServerConnection::new(config.clone())
                .map_err(io::Error::other)
                .and_then(|session| self.answer(StreamOwned::new(session, stream))),
        });
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn answer(&self, mut stream: impl Stream) -> io::Result<()> {
        let request = Request::read(&mut stream)?;
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.push(request.path.clone());
        drop(paths);
        match request.path.as_str() {
            "/hello" => respond(&mut stream, "200 OK", "", b"hello"),
            "/echo" => {
                let body = [request.method.as_bytes(), b" ", &request.body].concat();
                respond(&mut stream, "200 OK", "", &body)
            }
            "/redirect" => respond(&mut stream, "302 Found", "location: /hello\r\n", b""),
            "/never" => until_gone(&mut stream),
            "/stuck" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun")?;
                stream.flush()?;
                until_gone(&mut stream)
            }
            "/flood" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
                let chunk = [format!("{CHUNK:x}\r\n").as_bytes(), &[b'x'; CHUNK], b"\r\n"].concat();
                endlessly(&mut stream, &chunk)
            }
            "/headers" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                endlessly(&mut stream, format!("x-more: {}\r\n", "x".repeat(1000)).as_bytes())
            }
            "/continue" => endlessly(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n"),
            "/short" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"),
            "/nonsense" => stream.write_all(b"what?\r\n\r\n"),
            _ => respond(&mut stream, "404 Not Found", "", b""),
        }
    }
}

impl Request {
    fn read(stream: &mut impl Stream) -> io::Result<Self> {
        let mut begin = [0];
        stream.read_exact(&mut begin)?;
        if begin == [TLS_HANDSHAKE] {
            respond(stream, "400 Bad Request", "", b"")?;
            return Err(io::Error::other("this is no HTTPS server"));
        }
        let first = String::from_utf8_lossy(&begin).into_owned() + &line(stream)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut chunked) = (0, false);
        loop {
            let header = line(stream)?.to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            chunked |= header.starts_with("transfer-encoding:");
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        while chunked {
            let length = usize::from_str_radix(&line(stream)?, 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; length];
            stream.read_exact(&mut chunk)?;
            body.extend(chunk);
            line(stream)?;
            chunked = length > 0;
        }
        Ok(Self { method, path, body })
    }
}

/// One line, without its ending.
fn line(stream: &mut impl Stream) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.extend(byte);
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn respond(stream: &mut impl Stream, status: &str, headers: &str, body: &[u8]) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat())?;
    stream.flush()
}

/// Ends when the client has gone.
fn until_gone(stream: &mut impl Stream) -> io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}

/// Ends, with an error, when the client has gone.
fn endlessly(stream: &mut impl Stream, chunk: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(chunk)?;
    }
}
