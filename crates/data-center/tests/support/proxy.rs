//! A way to the server that can be cut after any octet, or stand still.
#![allow(dead_code, reason = "each program uses its own part of the proxy")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What passes from the client to the server, and what comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Up,
    Down,
}

/// What is to happen once so many octets have passed.
#[derive(Clone, Copy)]
enum Fault {
    Cut,
    Stop,
}

#[derive(Default)]
struct Rules {
    passed: [u64; 2],
    fault: Option<(Way, u64, Fault)>,
    is_stopped: bool,
    cuts: usize,
}

pub struct Proxy {
    port: u16,
    rules: Arc<(Mutex<Rules>, Condvar)>,
}

impl Proxy {
    /// One to a server's socket.
    pub fn start(server: PathBuf) -> Proxy {
        Proxy::to(move || UnixStream::connect(&server))
    }

    /// One to a port of this machine.
    pub fn to_port(port: u16) -> Proxy {
        Proxy::to(move || {
            let server = TcpStream::connect(("127.0.0.1", port))?;
            server.set_nodelay(true)?;
            Ok(server)
        })
    }

    fn to<S: Stream>(server: impl Fn() -> io::Result<S> + Send + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules = Arc::new((Mutex::new(Rules::default()), Condvar::new()));
        let shared = Arc::clone(&rules);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A server that is down refuses, and so does the way to it.
                let Ok(server) = server() else { continue };
                client.set_nodelay(true).unwrap();
                let (rules, other) = (Arc::clone(&shared), Arc::clone(&shared));
                let (from, to) = (client.twin(), server.twin());
                thread::spawn(move || pass(Way::Up, from, to, &rules));
                thread::spawn(move || pass(Way::Down, server, client, &other));
            }
        });
        Proxy { port, rules }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("postgres://wakala@127.0.0.1:{}/wakala", self.port)
    }

    /// How many octets have passed.
    pub fn passed(&self, way: Way) -> u64 {
        self.rules.0.lock().unwrap().passed[way as usize]
    }

    /// Cuts the connection that carries the octet after so many more.
    pub fn cut_after(&self, way: Way, octets: u64) {
        self.arm(way, octets, Fault::Cut);
    }

    /// Everything stands still after so many more octets.
    pub fn stop_after(&self, way: Way, octets: u64) {
        self.arm(way, octets, Fault::Stop);
    }

    fn arm(&self, way: Way, octets: u64, fault: Fault) {
        let mut rules = self.rules.0.lock().unwrap();
        let at = rules.passed[way as usize] + octets;
        rules.fault = Some((way, at, fault));
    }

    /// Takes the fault back; whether it had happened.
    pub fn disarm(&self) -> bool {
        self.rules.0.lock().unwrap().fault.take().is_none()
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.rules.0.lock().unwrap().cuts
    }

    /// Waits until everything stands still.
    pub fn wait_until_stopped(&self) {
        let (rules, changed) = &*self.rules;
        drop(changed.wait_while(rules.lock().unwrap(), |rules| !rules.is_stopped).unwrap());
    }

    /// Lets go on what stood still.
    pub fn go_on(&self) {
        let (rules, changed) = &*self.rules;
        rules.lock().unwrap().is_stopped = false;
        changed.notify_all();
    }
}

/// Either kind of socket.
trait Stream: Read + Write + Send + Sized + 'static {
    fn twin(&self) -> Self;
    fn close(&self);
}

impl Stream for TcpStream {
    fn twin(&self) -> TcpStream {
        self.try_clone().unwrap()
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Stream for UnixStream {
    fn twin(&self) -> UnixStream {
        self.try_clone().unwrap()
    }

    fn close(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

fn pass(way: Way, mut from: impl Stream, mut to: impl Stream, rules: &(Mutex<Rules>, Condvar)) {
    let mut octets = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut octets)
        && count > 0
    {
        let mut begun = 0;
        while begun < count {
            let Some(allowed) = allowed(way, (count - begun) as u64, rules) else {
                from.close();
                to.close();
                return;
            };
            let end = begun + allowed as usize;
            if to.write_all(&octets[begun..end]).is_err() {
                break;
            }
            begun = end;
        }
    }
    from.close();
    to.close();
}

/// How many of so many octets may pass; none where the connection is to be cut.
fn allowed(way: Way, count: u64, (rules, changed): &(Mutex<Rules>, Condvar)) -> Option<u64> {
    let mut rules = changed.wait_while(rules.lock().unwrap(), |rules| rules.is_stopped).unwrap();
    let passed = rules.passed[way as usize];
    let allowed = match rules.fault {
        Some((on, at, fault)) if on == way && passed + count > at => {
            if at == passed {
                rules.fault = None;
                return match fault {
                    Fault::Cut => {
                        rules.cuts += 1;
                        None
                    }
                    Fault::Stop => {
                        rules.is_stopped = true;
                        changed.notify_all();
                        drop(changed.wait_while(rules, |rules| rules.is_stopped).unwrap());
                        Some(0)
                    }
                };
            }
            at - passed
        }
        _ => count,
    };
    rules.passed[way as usize] += allowed;
    Some(allowed)
}
