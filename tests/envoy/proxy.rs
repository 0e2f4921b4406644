//! A real Envoy on loopback, the upstreams behind it, and a client that sends exactly the bytes it is told to.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Header lines as they came or go.
pub type Lines = Vec<(String, Vec<u8>)>;

/// The Envoy that `tests/envoy/test.sh` installed.
pub fn binary() -> PathBuf {
    let path = env::var_os("LANE_ENVOY").map(PathBuf::from);
    path.expect("LANE_ENVOY names no Envoy: run tests/envoy/test.sh, which installs one")
}

/// Where this run puts files.
pub fn workspace() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("envoy-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    });
    folder.clone()
}

/// Listeners of our own that stand for endpoints: each answers with its number and the request's head as it arrived.
pub struct Upstreams(Vec<u16>);

impl Upstreams {
    /// So many, on ports that the system chooses.
    pub fn start(count: usize) -> Self {
        let ports = (0..count).map(|number| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            spawn(move || {
                for stream in listener.incoming().flatten() {
                    spawn(move || serve(number, stream));
                }
            });
            port
        });
        Self(ports.collect())
    }

    pub fn port(&self, number: usize) -> u16 {
        self.0[number]
    }
}

/// Thousands of threads wait here, so their stacks are small.
fn spawn(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(128 << 10).spawn(work).unwrap();
}

fn serve(number: usize, stream: TcpStream) {
    let mut writer = stream.try_clone().unwrap();
    writer.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let before = head.len();
            // Envoy closes connections that it needs no longer.
            if !matches!(reader.read_until(b'\n', &mut head), Ok(length) if length > 0) {
                return;
            }
            if head[before..] == *b"\r\n" {
                break;
            }
        }
        let mut answer = format!("HTTP/1.1 200 OK\r\nx-upstream: {number}\r\ncontent-length: {}\r\n\r\n", head.len()).into_bytes();
        answer.extend(head);
        if writer.write_all(&answer).is_err() {
            return;
        }
    }
}

/// A running Envoy; it ends with this value.
pub struct Envoy {
    child: Child,
    /// The listeners' addresses, by name.
    pub listeners: BTreeMap<String, SocketAddr>,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Envoy {
    /// Starts Envoy with this bootstrap. Listeners with port 0 get one from the system.
    pub fn start(name: &str, bootstrap: &Value, environment: &[(&str, &Path)]) -> Self {
        Self::start_text(name, &bootstrap.to_string(), environment)
    }

    /// Starts Envoy with this bootstrap, YAML or JSON.
    pub fn start_text(name: &str, bootstrap: &str, environment: &[(&str, &Path)]) -> Self {
        let folder = workspace();
        let file = |extension: &str| folder.join(format!("{name}.{extension}"));
        let (config, admin, log) = (file("yaml"), file("admin"), file("log"));
        fs::write(&config, bootstrap).unwrap();
        // The address of a former run would be taken for this one's.
        let _ = fs::remove_file(&admin);
        let mut command = Command::new(binary());
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]);
        command.arg("--config-path").arg(&config).arg("--admin-address-path").arg(&admin);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        let mut envoy = Self { child: command.spawn().unwrap(), listeners: BTreeMap::new() };

        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let log = || fs::read_to_string(&log).unwrap_or_default();
            if let Some(status) = envoy.child.try_wait().unwrap() {
                panic!("Envoy does not take {}: {status}\n{}", config.display(), log());
            }
            assert!(Instant::now() < deadline, "Envoy is not ready after two minutes\n{}", log());
            if let Some(listeners) = fs::read_to_string(&admin).ok().and_then(|address| ready(address.trim())) {
                envoy.listeners = listeners;
                return envoy;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The listeners of a ready Envoy.
fn ready(admin: &str) -> Option<BTreeMap<String, SocketAddr>> {
    let address = admin.parse().ok()?;
    let get = |path: &str| Client::connect(address).ok()?.send("GET", path, &[("host".into(), b"admin".to_vec())]).ok();
    if get("/ready")?.status != 200 {
        return None;
    }
    let answer: Value = serde_json::from_slice(&get("/listeners?format=json")?.body).ok()?;
    let statuses = answer["listener_statuses"].as_array()?;
    let address = |listener: &Value| {
        let socket = &listener["local_address"]["socket_address"];
        format!("{}:{}", socket["address"].as_str()?, socket["port_value"]).parse().ok()
    };
    statuses.iter().map(|listener| Some((listener["name"].as_str()?.to_owned(), address(listener)?))).collect()
}

/// A connection that is kept open.
pub struct Client {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Lines,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// Sends a request without a body and reads the answer. A connection that Envoy closed is opened again.
    pub fn send(&mut self, method: &str, path: &str, lines: &[(String, Vec<u8>)]) -> std::io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in lines {
            head.extend(name.as_bytes());
            head.extend(b": ");
            head.extend(value);
            head.extend(b"\r\n");
        }
        head.extend(b"\r\n");
        let first = self.stream.get_mut().write_all(&head).and_then(|()| self.read());
        let answer = match first {
            Ok(answer) => answer,
            Err(_) => {
                *self = Self::connect(self.address)?;
                self.stream.get_mut().write_all(&head)?;
                self.read()?
            }
        };
        if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            *self = Self::connect(self.address)?;
        }
        Ok(answer)
    }

    fn read(&mut self) -> std::io::Result<Answer> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_ascii_end().to_vec();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = String::from_utf8_lossy(&lines[0]).split(' ').nth(1).and_then(|status| status.parse().ok());
        let headers: Lines = lines[1..].iter().filter_map(|line| header_line(line)).collect();
        let mut answer = Answer { status: status.ok_or(std::io::ErrorKind::InvalidData)?, headers, body: Vec::new() };
        if answer.header("transfer-encoding").is_some() {
            self.read_chunks(&mut answer.body)?;
        } else {
            let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> std::io::Result<()> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(|_| std::io::ErrorKind::InvalidData)?;
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            self.stream.read_line(&mut line)?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// A line of a head, its name in lower case, its value without outer blanks.
pub fn header_line(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    Some((name, trim(&line[colon + 1..]).to_vec()))
}

/// Without outer blanks, spaces and tabs that is.
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = text {
        text = rest;
    }
    text
}
