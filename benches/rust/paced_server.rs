//! A server of paced streams under TLS, for `benches/python/bench_streams_tls.py`.
//!
//! `paced_server PEM RATE` prints its port. A stream of the model `short` has 20 events, and one of the model `long` has
//! 2,000, all sent at once. Streams of other models are endless, with RATE events per second, each at its own time; an
//! event contains the time at which it was sent. Requests to `/v1/messages` are answered in Anthropic's format, others
//! with chat completions in OpenAI's.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Failure = Box<dyn Error + Send + Sync>;
type Tls = StreamOwned<ServerConnection, TcpStream>;
type Paced = (Tls, &'static Format);

struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG: usize = 2_000;
const SHORT: usize = 20;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let pem = fs::read(arguments.next().ok_or("usage: paced_server PEM RATE")?)?;
    let rate: f64 = arguments.next().ok_or("usage: paced_server PEM RATE")?.parse()?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(&pem)?)?;
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let (paced, streams) = channel::<Paced>();
    thread::spawn(move || pace(&streams, Duration::from_secs_f64(1.0 / rate)));
    for accepted in listener.incoming() {
        let (config, paced) = (Arc::clone(&config), paced.clone());
        thread::spawn(move || serve(accepted?, config, &paced));
    }
    Ok(())
}

/// Answers the requests of a connection until one asks for an endless stream.
fn serve(socket: TcpStream, config: Arc<ServerConfig>, paced: &Sender<Paced>) -> Result<(), Failure> {
    socket.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, socket);
    while let Some(Request { head, body }) = request(&mut tls)? {
        let format = if contains(&head, b"/v1/messages ") { &MESSAGES } else { &CHAT };
        let count = if contains(&body, b"\"long\"") {
            LONG
        } else if contains(&body, b"\"short\"") {
            SHORT
        } else {
            let mut start = HEAD.to_vec();
            chunks(&mut start, format.start);
            tls.write_all(&start)?;
            tls.flush()?;
            paced.send((tls, format))?;
            break;
        };
        let mut answer = HEAD.to_vec();
        chunks(&mut answer, format.start);
        for number in 0..count {
            chunk(&mut answer, &format.event(&format!("word {number} ")));
        }
        chunks(&mut answer, format.end);
        answer.extend_from_slice(b"0\r\n\r\n");
        tls.write_all(&answer)?;
        tls.flush()?;
    }
    Ok(())
}

/// Reads a request; `None` at the end of the connection.
fn request(tls: &mut Tls) -> Result<Option<Request>, Failure> {
    let (mut received, mut buffer) = (Vec::new(), [0; 16_384]);
    loop {
        let count = tls.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        received.extend_from_slice(&buffer[..count]);
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
        let wanted: usize = length.map_or(Ok(0), str::parse)?;
        if received.len() >= end + 4 + wanted {
            let body = received.split_off(end + 4);
            return Ok(Some(Request { head: received, body }));
        }
    }
}

/// Sends an event on every stream once in each period.
fn pace(streams: &Receiver<Paced>, period: Duration) {
    let mut open: Vec<Option<Paced>> = Vec::new();
    let mut due: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
    let mut data = Vec::new();
    loop {
        let wait = due.peek().map_or(period, |next| next.0.0.saturating_duration_since(Instant::now()));
        match streams.recv_timeout(wait) {
            Ok(stream) => {
                // Streams that begin together do not send together: a fraction of the golden ratio spreads them.
                let share = (open.len() as f64 * 0.618_033_988_75).fract();
                due.push(Reverse((Instant::now() + period.mul_f64(share), open.len())));
                open.push(Some(stream));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(&Reverse((at, index))) = due.peek().filter(|next| next.0.0 <= Instant::now()) {
            due.pop();
            let Some((stream, format)) = open.get_mut(index).and_then(Option::as_mut) else { continue };
            data.clear();
            chunk(&mut data, &format.event(&format!("{:.6} ", now())));
            if stream.write_all(&data).and_then(|()| stream.flush()).is_ok() {
                due.push(Reverse((at + period, index)));
            } else {
                open[index] = None;
            }
        }
    }
}

/// The events of a stream in the format of a provider.
struct Format {
    start: &'static [&'static str],
    /// An event, with `$` in place of its text.
    text: &'static str,
    end: &'static [&'static str],
}

impl Format {
    fn event(&self, text: &str) -> String {
        self.text.replace('$', text)
    }
}

const CHAT: Format = Format {
    start: &[],
    text: concat!(
        r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
        r#""delta":{"content":"$"},"finish_reason":null}]}"#,
        "\n\n"
    ),
    end: &[
        concat!(
            r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
            r#""delta":{"content":""},"finish_reason":"stop"}]}"#,
            "\n\n"
        ),
        "data: [DONE]\n\n",
    ],
};

const MESSAGES: Format = Format {
    start: &[
        concat!(
            "event: message_start\n",
            r#"data: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant","#,
            r#""model":"m","content":[],"stop_reason":null,"stop_sequence":null,"#,
            r#""usage":{"input_tokens":9,"output_tokens":1}}}"#,
            "\n\n"
        ),
        concat!(
            "event: content_block_start\n",
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            "\n\n"
        ),
    ],
    text: concat!(
        "event: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$"}}"#,
        "\n\n"
    ),
    end: &[
        concat!("event: content_block_stop\n", r#"data: {"type":"content_block_stop","index":0}"#, "\n\n"),
        concat!(
            "event: message_delta\n",
            r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
            r#""usage":{"output_tokens":20}}"#,
            "\n\n"
        ),
        concat!("event: message_stop\n", r#"data: {"type":"message_stop"}"#, "\n\n"),
    ],
};

fn chunks(into: &mut Vec<u8>, events: &[&str]) {
    for event in events {
        chunk(into, event);
    }
}

fn chunk(into: &mut Vec<u8>, data: &str) {
    into.extend_from_slice(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes());
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Returns the time in seconds since 1970, as Python's `time.time()`.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
