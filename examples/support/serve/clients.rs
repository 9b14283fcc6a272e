//! Clients that measure a server.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{error::Error, thread};

/// A connection that is kept between requests.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Sends a request with a body; returns the status and the body of the answer.
    pub fn request(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, Value), Box<dyn Error>> {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        self.stream.get_mut().write_all((head + body).as_bytes())?;
        self.answer()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(u16, Value), Box<dyn Error>> {
        self.stream.get_mut().write_all(bytes)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<(u16, Value), Box<dyn Error>> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_string()),
        }
    }
}

/// The body of a request with an image, and with its label for one to learn from.
pub fn body(pixels: &[u8], label: Option<usize>) -> String {
    match label {
        Some(label) => json!({ "pixels": pixels, "label": label }),
        None => json!({ "pixels": pixels }),
    }
    .to_string()
}

/// What clients have seen.
pub struct Load {
    /// Of each request that was answered with a prediction, sorted.
    pub latencies: Vec<Duration>,
    /// The number of the model of each answer, in the order of the clients.
    pub models: Vec<usize>,
    pub correct: usize,
    /// What happened to requests that were not answered so.
    pub lost: Vec<String>,
    pub seconds: f64,
}

/// Asks for predictions of images with labels, `count` times with each of some clients at the same time.
pub fn load(address: SocketAddr, clients: usize, count: usize, images: &[(Vec<u8>, usize)]) -> Load {
    let bodies: Vec<String> = images.iter().map(|(pixels, _)| body(pixels, None)).collect();
    let begin = Instant::now();
    let client = |number: usize| {
        let mut load = Load { latencies: Vec::new(), models: Vec::new(), correct: 0, lost: Vec::new(), seconds: 0.0 };
        let mut connection = Client::connect(address).ok();
        for k in 0..count {
            let (which, start) = ((number * count + k) % images.len(), Instant::now());
            let answer = match &mut connection {
                Some(connection) => connection.request("POST", "/predict", &bodies[which]),
                None => Err("no connection".into()),
            };
            match answer.map(|(status, body)| (status, body["class"].as_u64(), body["model"].as_u64())) {
                Ok((200, Some(class), Some(model))) => {
                    load.latencies.push(start.elapsed());
                    load.models.push(model as usize);
                    load.correct += usize::from(class as usize == images[which].1);
                }
                Ok(other) => load.lost.push(format!("{other:?}")),
                Err(error) => load.lost.push(error.to_string()),
            }
        }
        load
    };
    let mut loads = thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|number| scope.spawn(move || client(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a client does not panic")).collect::<Vec<_>>()
    });
    let mut all = loads.remove(0);
    for other in loads {
        all.latencies.extend(other.latencies);
        all.models.extend(other.models);
        all.lost.extend(other.lost);
        all.correct += other.correct;
    }
    all.latencies.sort();
    all.seconds = begin.elapsed().as_secs_f64();
    all
}
