//! The link between processes, with the test at one end of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use transaction_processing::Request;
use transaction_processing::ids::{Sequence, StaffId};
use transaction_processing::proposal::Measure;
use transaction_processing::request::{Action, Origin};
use transaction_processing::requests::propose;
use wakala::cluster::certificates;
use wakala::cluster::frames::{
    Ask, Frames, Greeting, Hello, Say, VERSIONS, put_request_frame, put_say, take_ask, take_say,
};

use crate::common::service::{Service, customer};
use crate::common::world::msisdn;
use crate::common::{PATIENCE, PIN};
use crate::town::Town;

/// Speaks for one side of the link, by the frames of the program itself.
struct Speaker<S> {
    stream: S,
    frames: Frames,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Speaker<S> {
    fn new(stream: S) -> Speaker<S> {
        Speaker { stream, frames: Frames::default() }
    }

    async fn send(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = Vec::new();
        put(&mut octets);
        self.stream.write_all(&octets).await.expect("it is heard");
        self.stream.flush().await.expect("it is heard");
    }

    /// The next frame; none where the connection has ended.
    async fn hear(&mut self) -> Option<Vec<u8>> {
        let mut read = [0; 4096];
        loop {
            if let Some(frame) = self.frames.take_whole().expect("frames") {
                return Some(frame.to_vec());
            }
            match self.stream.read(&mut read).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.frames.push(&read[..count]),
            }
        }
    }
}

fn files(folder: &Path) -> [PathBuf; 3] {
    ["authority.pem", "127.0.0.1.pem", "127.0.0.1.key"].map(|name| folder.join(name))
}

/// A connection to a process as an edge makes it, with the certificate in this folder.
async fn link_to(
    port: u16,
    trusted: &Path,
    own: &Path,
) -> std::io::Result<impl AsyncRead + AsyncWrite + Unpin + use<>> {
    let ([authority, ..], [_, certificate, key]) = (files(trusted), files(own));
    let client = wakala::tls::client(Some(&authority), Some((&certificate, &key))).expect("a client");
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let name = "127.0.0.1".to_owned().try_into().expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

fn hello(versions: (u16, u16), term: i64) -> Hello {
    Hello { versions, term, name: "a test".to_owned(), program: "9.9.9".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_process_of_the_cluster_that_speaks_its_version_and_knows_its_term_is_heard() {
    let mut town = Town::with(2).await;
    town.start_all().await;
    let (decider, folder) = (town.decider(), town.world.directory.path().join("cluster"));
    let (port, edge) = (town.ports[decider], town.ports[1 - decider]);
    let foreign = town.world.directory.path().join("foreign");
    certificates::make(&foreign, &["127.0.0.1".to_owned()], None).expect("certificates");
    let said_to = async |port: u16, hello: Hello| {
        let mut speaker = Speaker::new(link_to(port, &folder, &folder).await.expect("a link"));
        speaker.send(|out| hello.put(out)).await;
        Greeting::take(&speaker.hear().await.expect("an answer")).expect("a greeting")
    };
    let term = town.asked(decider, &["cluster", "status"])["term"].as_i64().expect("a term");
    let no = |greeting: Greeting| match greeting {
        Greeting::No(why) => why,
        Greeting::Welcome(version) => panic!("welcomed in version {version}"),
    };
    assert_eq!(said_to(port, hello(VERSIONS, term)).await, Greeting::Welcome(VERSIONS.1));
    assert!(no(said_to(port, hello((0, 0), term)).await).contains("too old"));
    assert!(no(said_to(port, hello((VERSIONS.1 + 1, 99), term)).await).contains("too new"));
    assert!(no(said_to(port, hello(VERSIONS, term - 1)).await).contains("it decides since term"));
    assert!(no(said_to(edge, hello(VERSIONS, term)).await).contains("does not decide"));

    // A host that was added later, with the key that was put away, is of the cluster.
    let added = town.world.directory.path().join("added");
    certificates::make(&added, &["127.0.0.1".to_owned()], Some(&folder.join("authority.key"))).expect("certificates");
    let mut speaker = Speaker::new(link_to(port, &folder, &added).await.expect("a link"));
    speaker.send(|out| hello(VERSIONS, term).put(out)).await;
    let greeting = Greeting::take(&speaker.hear().await.expect("an answer"));
    assert_eq!(greeting, Ok(Greeting::Welcome(VERSIONS.1)));

    // Who has no certificate of this authority is never answered, nor who speaks in plain.
    let unheard = match link_to(port, &folder, &foreign).await {
        Err(_) => true,
        Ok(stream) => {
            let mut speaker = Speaker::new(stream);
            let mut octets = Vec::new();
            hello(VERSIONS, term).put(&mut octets);
            let _ = speaker.stream.write_all(&octets).await;
            speaker.hear().await.is_none()
        }
    };
    assert!(unheard, "a foreign certificate was heard");
    assert!(link_to(port, &foreign, &folder).await.is_err(), "the server proves itself too");
    let mut plain = Speaker::new(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("a connection"));
    plain.send(|out| hello(VERSIONS, term).put(out)).await;
    let answer = plain.hear_octets().await;
    assert!(Greeting::take(answer.get(4..).unwrap_or_default()).is_err(), "no plain mode");

    // What is no frame, or longer than it may be, ends the connection and nothing else.
    for octets in [&[0, 0, 0, 1, 99][..], &[0xff; 8][..]] {
        let mut speaker = Speaker::new(link_to(port, &folder, &folder).await.expect("a link"));
        speaker.send(|out| hello(VERSIONS, term).put(out)).await;
        speaker.hear().await.expect("a welcome");
        speaker.send(|out| out.extend_from_slice(octets)).await;
        assert_eq!(speaker.hear().await, None);
    }
    town.say(1);
    town.accounted_for().await;
}

impl Speaker<tokio::net::TcpStream> {
    async fn hear_octets(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let _ = self.stream.read_to_end(&mut octets).await;
        octets
    }
}

/// An edge of a later program, as it may stand beside an older one that decides while a cluster is upgraded: it speaks a later
/// version of the link too, and its hello says more.
#[tokio::test(flavor = "multi_thread")]
async fn an_edge_of_a_later_program_is_answered_in_the_version_that_both_speak() {
    let mut town = Town::with(1).await;
    town.start_all().await;
    let folder = town.world.directory.path().join("cluster");
    let term = town.asked(0, &["cluster", "status"])["term"].as_i64().expect("a term");
    let mut speaker = Speaker::new(link_to(town.ports[0], &folder, &folder).await.expect("a link"));
    let more = b"what a later version adds";
    speaker
        .send(|out| {
            hello((VERSIONS.0, VERSIONS.1 + 1), term).put(out);
            out.extend_from_slice(more);
            let length = u32::from_be_bytes(out[..4].try_into().expect("four octets")) + more.len() as u32;
            out[..4].copy_from_slice(&length.to_be_bytes());
        })
        .await;
    let greeting = Greeting::take(&speaker.hear().await.expect("an answer")).expect("a greeting");
    assert_eq!(greeting, Greeting::Welcome(VERSIONS.1));
    let status = town.asked(0, &["cluster", "status"]);
    let expected = json!([{ "name": "a test", "program": "9.9.9", "link_version": VERSIONS.1 }]);
    assert_eq!(status["edges"], expected);
    let measure = Measure::Freeze { msisdn: msisdn(&customer(3)) };
    let action = Action::Propose(propose::Fields { measure });
    let maker = town.asked(0, &["staff", "list"])["staff"][0]["staff"].as_u64().expect("a number");
    let request = Request { key: None, origin: Origin::Staff(StaffId(maker)), action };
    speaker.send(|out| put_request_frame(out, 7, &request)).await;
    let (number, answer) = take_say(&speaker.hear().await.expect("an answer")).expect("a frame");
    assert!(number == 7 && matches!(answer, Say::Answer { row: Some(_), refusal: None, .. }), "{answer:?}");
    town.accounted_for().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_asks_again_whoever_refused_it_or_vanished_before_the_answer() {
    let town = Town::with(1).await;
    let folder = town.world.directory.path().join("cluster");
    let [authority, certificate, key] = files(&folder);
    let server = wakala::tls::server(&authority, (&certificate, &key)).expect("a server");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    town.server.sql(&format!(
        "UPDATE lease SET term = term + 1, holder = 'a test', address = '127.0.0.1:{port}', expires_at = now() + interval '1 hour'"
    ));
    let next = async || {
        let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await.expect("the edge tries");
        let (stream, _) = accepted.expect("a connection");
        let mut speaker = Speaker::new(acceptor.accept(stream).await.expect("a certificate of ours"));
        let hello = Hello::take(&speaker.hear().await.expect("a hello")).expect("a hello");
        assert_eq!(hello.versions, VERSIONS);
        speaker
    };
    let service = Service::start(&town.configurations[0]);
    for _ in 0..2 {
        let mut speaker = next().await;
        speaker.send(|out| Greeting::No("it is too old: upgrade it".to_owned()).put(out)).await;
    }
    service.wait_for(|_, said| said.contains("it is too old: upgrade it")).await;
    let centre = town.world.centre();
    let id = centre.say(&customer(0), &format!("TM*{}*100*{PIN}", customer(1)));
    let mut asked = Vec::new();
    for vanishes in [true, true, false] {
        let mut speaker = next().await;
        speaker.send(|out| Greeting::Welcome(VERSIONS.1).put(out)).await;
        let (number, Ask::Request(request)) = take_ask(&speaker.hear().await.expect("a request")).expect("a frame")
        else {
            panic!("no request");
        };
        asked.push(request.key.expect("a key"));
        if vanishes {
            // Half of an answer.
            speaker.send(|out| out.extend_from_slice(&[0, 0, 0, 23, 6, 0])).await;
            continue;
        }
        let answered = centre.reports().iter().any(|report| report["deliver_resp"]["id"] == id.as_str());
        assert!(!answered, "nothing is acknowledged before the answer");
        let say = Say::Answer { row: Some(Sequence(7)), refusal: None, transfer: None, waits: false };
        speaker.send(|out| put_say(out, number, &say)).await;
        assert_eq!(centre.acknowledged(&id).await, 0);
    }
    assert!(asked.iter().all(|key| *key == asked[0]), "the same request each time");
    service.end();
}
