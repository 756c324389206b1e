//! The demonstration's house: a message centre on loopback, the platform with a database in a folder of its own, and the
//! office of its staff, in one process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use encryption::{FileKeys, Keys, Passphrase};
use handset::centre::{Account, Settings};
use handset::net::{CentreHandle, CentreServer, ServerOptions};
use tempfile::TempDir;
use wire::Secret;

use super::Failure;
use super::cast::SHORT_CODE;
use super::log::Log;
use super::tap::Tap;
use crate::administration::protocol::{Command, Credentials, Request};
use crate::administration::{Administration, system_rng};
use crate::clock::LedgerClock;
use crate::communication_gateway::Clock;
use crate::config::{Config, Sources};
use crate::platform::Platform;

/// The name under which the platform binds.
const SYSTEM_ID: &str = "wakala";
/// How long the end may take.
const DRAIN: Duration = Duration::from_secs(10);

/// Where the files are.
enum Folder {
    /// Removed at the end.
    Fresh(TempDir),
    /// Kept.
    Kept(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Folder::Fresh(folder) => folder.path(),
            Folder::Kept(path) => path,
        }
    }
}

/// All of it, running.
pub struct House {
    /// The clock, which can be moved on.
    pub clock: LedgerClock,
    /// The keys.
    pub keys: Arc<dyn Keys>,
    /// The platform.
    pub platform: Platform,
    /// Where staff act.
    pub office: Arc<Administration>,
    /// The message centre.
    pub centre: CentreHandle,
    /// The line between the two.
    pub tap: Tap,
    folder: Folder,
}

impl House {
    /// Builds it: nothing in it yet but tariffs.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn build(keep: Option<&Path>, server: Option<&str>, log: &Arc<Log>) -> Result<House, Failure> {
        let folder = match keep {
            None => Folder::Fresh(tempfile::Builder::new().prefix("wakala-demo-").tempdir()?),
            Some(path) => Folder::Kept(empty(path)?),
        };
        let password = random_word();
        let centre = start_centre(&password).await?;
        let tap = Tap::open(centre.smpp_address(), Arc::clone(log)).await?;
        let config = configuration(folder.path(), server, tap.address, &password)?;
        let clock = LedgerClock::new(config.ledger.zone.time_zone().clone());
        let keys: Arc<dyn Keys> = Arc::new(keys(&config, matches!(folder, Folder::Kept(_)))?);
        let ticking = clock.clone();
        let moments: Clock = Arc::new(move || ticking.moment());
        let platform = Platform::start_with_keys(config.clone(), moments, Arc::clone(&keys)).await?;
        let office = Arc::new(office(&platform, config, &keys, &clock));
        Ok(House { clock, keys, platform, office, centre, tap, folder })
    }

    /// Carries out a command of the office, as this member of staff.
    ///
    /// # Errors
    /// [`Failure::Office`] where it was not done.
    pub async fn command(&self, staff: Option<(&str, &str)>, command: Command) -> Result<serde_json::Value, Failure> {
        let credentials = staff.map(|(name, secret)| Credentials { name: name.to_owned(), secret: secret.into() });
        self.ask(Request { staff: credentials, new_secret: None, command }).await
    }

    /// The same with the secret that somebody new has chosen.
    ///
    /// # Errors
    /// [`Failure::Office`].
    pub async fn enrol(&self, (name, secret): (&str, &str)) -> Result<serde_json::Value, Failure> {
        let command = Command::EnrolFirstStaff { name: name.to_owned() };
        self.ask(Request { staff: None, new_secret: Some(secret.into()), command }).await
    }

    async fn ask(&self, request: Request) -> Result<serde_json::Value, Failure> {
        let office = Arc::clone(&self.office);
        let work = move || office.carry_out(&request, &mut |_| {});
        let done = tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Stopped)?;
        done.map_err(|fault| Failure::Office(fault.message))
    }

    /// Ends in order: the platform unbinds and writes what it was given, then the message centre closes. A fresh folder goes.
    ///
    /// # Errors
    /// [`Failure`] where the writer had failed.
    pub async fn close(self) -> Result<(), Failure> {
        let House { platform, centre, tap, folder, office, .. } = self;
        drop(office);
        let stopped = platform.stop(DRAIN).await;
        centre.stop().await;
        drop(tap);
        if let Folder::Fresh(folder) = folder {
            folder.close()?;
        }
        Ok(stopped?)
    }
}

fn empty(path: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(path)?;
    if fs::read_dir(path)?.next().is_some() {
        return Err(Failure::NotEmpty(path.to_owned()));
    }
    Ok(fs::canonicalize(path)?)
}

/// Eight characters that nobody has to know.
fn random_word() -> String {
    format!("{:08x}", rand::random::<u32>())
}

async fn start_centre(password: &str) -> Result<CentreHandle, Failure> {
    let unfit = |_| Failure::Centre("a name is too long".to_owned());
    let short_code = handset::Number::try_from(SHORT_CODE).map_err(|error| Failure::Centre(error.to_string()))?;
    let account = Account {
        system_id: SYSTEM_ID.try_into().map_err(unfit)?,
        password: Secret::from(password),
        short_codes: vec![short_code],
    };
    let origin = jiff::Timestamp::now().as_second();
    let settings = Settings { accounts: vec![account], origin, ..Settings::default() };
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(CentreServer::start(ServerOptions { smpp: free, radio: Some(free), settings, seed: 1 }).await?)
}

/// The configuration, written as a file like any other, so that a kept folder can be served and looked into later.
fn configuration(folder: &Path, server: Option<&str>, centre: SocketAddr, password: &str) -> Result<Config, Failure> {
    let quoted = |name: &str| toml::Value::from(folder.join(name).display().to_string()).to_string();
    let server = server.map_or(String::new(), |address| {
        let address = toml::Value::from(address);
        format!("[postgres]\naddress = {address}\nstandbys = \"none\"\nin_use = \"refuse\"\n")
    });
    let text = format!(
        "# Made by `wakala demo`.\n{server}\
         [ledger]\ndatabase = {}\nlanguage = \"en\"\n\
         [messages]\nshort_code = \"{SHORT_CODE}\"\n\
         [keys]\nfile = {}\npassphrase_file = {}\n\
         [administration]\nsocket = {}\n\
         [[message_centre]]\nname = \"demonstration\"\nhosts = [\"{centre}\"]\nsystem_id = \"{SYSTEM_ID}\"\n\
         password_file = {}\n",
        quoted("wakala.db"),
        quoted("wakala.keys"),
        quoted("passphrase"),
        quoted("wakala.sock"),
        quoted("centre.password"),
    );
    let file = folder.join("wakala.toml");
    fs::write(&file, text)?;
    write_secret(&folder.join("centre.password"), password)?;
    let sources = Sources { file: Some(file), environment: Vec::new(), flags: Vec::new() };
    Config::load(&sources).map_err(|error| Failure::Configuration(error.to_string()))
}

fn write_secret(path: &Path, secret: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(secret.as_bytes())?)
}

/// New keys; saved only where the folder is kept, because sealing the file takes its time.
fn keys(config: &Config, keep: bool) -> Result<FileKeys, Failure> {
    let mut rng = system_rng();
    let keys = FileKeys::create(&mut rng);
    if keep {
        let passphrase: String = (0..4).map(|_| random_word()).collect();
        write_secret(&config.keys.passphrase_file, &passphrase)?;
        let failed = |error: encryption::KeyFileError| Failure::Configuration(error.to_string());
        let passphrase = Passphrase::read(&config.keys.passphrase_file).map_err(failed)?;
        keys.save(&config.keys.file, &passphrase, &mut rng).map_err(failed)?;
    }
    Ok(keys)
}

fn office(platform: &Platform, config: Config, keys: &Arc<dyn Keys>, clock: &LedgerClock) -> Administration {
    let services = &platform.services;
    let (shared, clock) = (Arc::clone(&services.shared), clock.clone());
    let told = Arc::new(move |answer: &mut data_center::Answer| shared.tell_row(answer, clock.moment().time));
    let (writer, numbering) = (services.writer.clone(), services.numbering.clone());
    Administration::new(Arc::new(config), services.location.clone(), Arc::clone(keys), writer, numbering, told)
}
