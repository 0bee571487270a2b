//! A proxy between clients and a broker: it can stand still for a while, and delay some answers. So a test plants a
//! latency of a known size, in one place, outside kuu.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Numbers of requests, see <https://kafka.apache.org/protocol#protocol_api_keys>.
pub const PRODUCE: i16 = 0;
pub const FETCH: i16 = 1;
pub const ADD_OFFSETS: i16 = 25;
const METADATA: i16 = 3;
const FIND_COORDINATOR: i16 = 10;

/// A request and its answer, without their sizes.
pub struct Exchange {
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
}

impl Exchange {
    /// Whether it is a request with this number.
    pub fn is(&self, api: i16) -> bool {
        api_of(&self.request) == api
    }
}

/// Which requests are meant.
type Wanted = fn(&[u8]) -> bool;

/// Which answers come later, and by how much.
#[derive(Clone, Copy)]
pub struct Plant {
    pub delay: Duration,
    pub of: fn(&Exchange) -> bool,
}

/// Whether some bytes are in others.
pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A proxy; its threads go on until the process ends.
pub struct Proxy {
    pub address: String,
    still: Arc<Still>,
}

/// When nothing passes.
#[derive(Default)]
struct Still {
    state: Mutex<StillState>,
    changed: Condvar,
}

#[derive(Default)]
struct StillState {
    /// The request with which it begins, and how long it takes.
    next: Option<(Wanted, Duration)>,
    until: Option<Instant>,
    /// How often it has ended.
    ended: u32,
}

impl Proxy {
    /// A proxy before the broker at this address, which clients see in the place of the broker.
    pub fn before(broker: &str, plant: Option<Plant>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let still = Arc::new(Still::default());
        let (host, broker_port) = broker.rsplit_once(':').unwrap();
        let place = |port: u16| [host.as_bytes(), &i32::from(port).to_be_bytes()].concat();
        let route = Route { names: [place(broker_port.parse().unwrap()), place(port)], plant, still: still.clone() };
        let broker = broker.to_owned();
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that goes, or a broker that is gone, ends a connection.
                let _ = client.and_then(|client| route.connect(client, &broker));
            }
        });
        Proxy { address: format!("{host}:{port}"), still }
    }

    /// Nothing passes for this time, in either direction, from the next request on of which `begin` is true: that one does
    /// not pass either.
    pub fn stand_still(&self, time: Duration, begin: Wanted) {
        self.still.state.lock().unwrap().next = Some((begin, time));
    }

    /// How often it has stood still.
    pub fn stood_still(&self) -> u32 {
        self.still.state.lock().unwrap().ended
    }
}

impl Still {
    fn look_at(&self, request: &[u8]) {
        let mut state = self.state.lock().unwrap();
        if let Some((_, time)) = state.next.take_if(|(begin, _)| begin(request)) {
            state.until = Some(Instant::now() + time);
        }
    }

    /// Waits until something may pass.
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        while let Some(until) = state.until {
            match until.checked_duration_since(Instant::now()) {
                Some(left) => state = self.changed.wait_timeout(state, left).unwrap().0,
                None => {
                    state.until = None;
                    state.ended += 1;
                    self.changed.notify_all();
                }
            }
        }
    }
}

/// What the connections of a proxy share.
#[derive(Clone)]
struct Route {
    /// The address of the broker, and that of the proxy, as answers have them.
    names: [Vec<u8>; 2],
    plant: Option<Plant>,
    still: Arc<Still>,
}

impl Route {
    fn connect(&self, client: TcpStream, broker: &str) -> io::Result<()> {
        let broker = TcpStream::connect(broker)?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        let open: Arc<Mutex<HashMap<i32, Vec<u8>>>> = Arc::default();
        let (sender, due) = channel();
        let (asked, mut from, mut to) = (open.clone(), client.try_clone()?, broker.try_clone()?);
        let route = self.clone();
        thread::spawn(move || {
            while let Ok(request) = read(&mut from) {
                route.still.look_at(&request);
                asked.lock().unwrap().insert(number(&request[4..]), request.clone());
                route.still.pass();
                if write(&mut to, &request).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
        let (route, mut from) = (self.clone(), broker);
        thread::spawn(move || {
            while let Ok(answer) = read(&mut from) {
                let request = open.lock().unwrap().remove(&number(&answer)).unwrap_or_default();
                if sender.send(route.due(Exchange { request, answer })).is_err() {
                    break;
                }
            }
        });
        let route = self.clone();
        thread::spawn(move || route.answer(client, &due));
        Ok(())
    }

    /// When an answer is due, and the answer with the address of the proxy.
    fn due(&self, mut exchange: Exchange) -> (Instant, Vec<u8>) {
        let delay = self.plant.filter(|plant| (plant.of)(&exchange)).map_or(Duration::ZERO, |plant| plant.delay);
        if exchange.is(METADATA) || exchange.is(FIND_COORDINATOR) {
            let [broker, proxy] = &self.names;
            for at in 0..exchange.answer.len().saturating_sub(broker.len()) + 1 {
                if exchange.answer[at..].starts_with(broker) {
                    exchange.answer[at..at + proxy.len()].copy_from_slice(proxy);
                }
            }
        }
        (Instant::now() + delay, exchange.answer)
    }

    fn answer(&self, mut client: TcpStream, due: &Receiver<(Instant, Vec<u8>)>) {
        while let Ok((at, answer)) = due.recv() {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            self.still.pass();
            if write(&mut client, &answer).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }
}

/// Reads a message, without its size.
fn read(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut size = [0; 4];
    from.read_exact(&mut size)?;
    let mut message = vec![0; u32::from_be_bytes(size) as usize];
    from.read_exact(&mut message)?;
    Ok(message)
}

fn write(to: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    to.write_all(&[&(message.len() as u32).to_be_bytes(), message].concat())
}

/// The number with which an answer begins, and which a request has behind its kind and version.
fn number(message: &[u8]) -> i32 {
    message.first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes))
}

fn api_of(request: &[u8]) -> i16 {
    request.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes))
}

/// Whether a request has this number and these bytes.
pub fn asks(request: &[u8], api: i16, part: &[u8]) -> bool {
    api_of(request) == api && holds(request, part)
}
