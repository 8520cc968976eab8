//! A headless Chromium, and what somebody does with it. What a page complains of is collected from its first script on.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::wait;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use tokio::runtime::Runtime;

use crate::client::Client;

/// The folder that Chromium is below, as below the root of a Debian. `cargo xtask test` gets one.
const BROWSER_VARIABLE: &str = "RACTOR_TEST_BROWSER";

/// Collects errors of scripts, what can't be loaded, what is written to the console as an error, and what the policy forbids.
const COLLECT: &str = r#"
window.complaints = [];
addEventListener("error", (event) => window.complaints.push("error: " + (event.message || event.target?.src || event.target?.href)), true);
addEventListener("unhandledrejection", (event) => window.complaints.push("rejected: " + event.reason));
document.addEventListener("securitypolicyviolation", (event) => window.complaints.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
for (const kind of ["error", "warn"]) {
  const before = console[kind];
  console[kind] = (...words) => { window.complaints.push(`console.${kind}: ${words.join(" ")}`); before(...words); };
}
"#;

/// See the module. It ends when this is dropped.
pub(crate) struct Browser {
    driver: WebDriver,
    runtime: Runtime,
    _process: Process,
    _profile: TempDir,
}

/// Where Chromium is. None if there is none, which is said.
fn root() -> Option<PathBuf> {
    let named = env::var_os(BROWSER_VARIABLE).filter(|root| !root.is_empty());
    let root = PathBuf::from(named.unwrap_or_else(|| "/".into()));
    if root.join("usr/bin/chromedriver").is_file() {
        return Some(root);
    }
    let why = format!("no Chromium: {BROWSER_VARIABLE} names none, and none is installed; `cargo xtask test` gets one");
    assert!(env::var_os("CI").is_none_or(|value| value.is_empty()), "{why}");
    // Past the capturing of what tests print: whoever runs them has to see it.
    drop(writeln!(
        std::io::stderr(),
        "NOT TESTED: the dashboard in a browser; {why}"
    ));
    None
}

impl Browser {
    /// One that shows nothing yet, in a window of this size. None without Chromium.
    #[track_caller]
    pub(crate) fn start(width: u32, height: u32) -> Option<Self> {
        let root = root()?;
        let profile = tempfile::tempdir().expect("a folder");
        let mut process = Process::start("chromedriver", &mut driver(&root, profile.path()));
        let is_up = |line: &str| line.contains("started successfully on port");
        let (_, line) = process.wait_line(Stream::Stdout, 0, "its port", is_up);
        let port = line.trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": binary(&root),
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                    "--hide-scrollbars", "--force-color-profile=srgb", format!("--window-size={width},{height}"),
                    format!("--user-data-dir={}", profile.path().join("profile").display()),
                ],
            },
        });
        let runtime = Runtime::new().expect("a runtime");
        let capabilities: thirtyfour::Capabilities = serde_json::from_value(capabilities).expect("capabilities");
        let address = format!("http://127.0.0.1:{port}");
        let builder = WebDriver::builder(address.clone(), capabilities).client(Client::new());
        let driver = runtime.block_on(async { builder.await }).expect("a session");
        let session = runtime.block_on(async { driver.session_id().to_string() });
        let this = Self {
            driver,
            runtime,
            _process: process,
            _profile: profile,
        };
        let collect = json!({"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": COLLECT}});
        let told = ureq::post(format!("{address}/session/{session}/goog/cdp/execute"))
            .header("content-type", "application/json")
            .send(collect.to_string());
        told.expect("the script that collects");
        Some(this)
    }

    #[track_caller]
    fn wait<T>(&self, doing: impl Future<Output = WebDriverResult<T>>) -> T {
        match self.runtime.block_on(doing) {
            Ok(done) => done,
            Err(error) => panic!("{error}"),
        }
    }

    /// Goes to an address.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.wait(self.driver.goto(url));
    }

    /// What a script gives, as the body of a function.
    #[track_caller]
    pub(crate) fn script(&self, body: &str) -> Value {
        self.wait(self.driver.execute(body, Vec::new())).json().clone()
    }

    /// The same of one that calls its last argument when it is done.
    #[track_caller]
    pub(crate) fn later(&self, body: &str) -> Value {
        self.wait(self.driver.execute_async(body, Vec::new())).json().clone()
    }

    /// The text that can be seen of the elements that a selector finds, one after the other.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let all = format!(
            "return [...document.querySelectorAll({selector:?})].map((one) => one.innerText ?? one.textContent).join('\\n')"
        );
        self.script(&all).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until what can be seen there is as wanted.
    #[track_caller]
    pub(crate) fn until(&self, selector: &str, wanted: impl Fn(&str) -> bool) -> String {
        wait::until(selector, || self.text(selector), |text| wanted(text))
    }

    /// Clicks on the button with this text, once there is one that can be clicked.
    #[track_caller]
    pub(crate) fn press(&self, words: &str) {
        let find = format!(
            "const open = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
             const found = [...open.querySelectorAll('button, summary, a')].find((one) => one.innerText.trim() === {words:?} && !one.disabled);
             found?.click(); return Boolean(found);"
        );
        wait::until(
            &format!("a button {words}"),
            || self.script(&find),
            |found| found == true,
        );
    }

    /// Types into a field, as a keyboard does.
    #[track_caller]
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        let field = wait::until(
            selector,
            || self.runtime.block_on(self.driver.find(By::Css(selector))).ok(),
            Option::is_some,
        );
        if let Some(field) = field {
            self.wait(field.send_keys(text));
        }
    }

    /// A picture of the window, if the variable names a folder for these.
    #[track_caller]
    pub(crate) fn picture(&self, name: &str) {
        if let Some(folder) = env::var_os("RACTOR_TEST_PICTURES").map(PathBuf::from) {
            self.wait(self.driver.screenshot(&folder.join(name).with_extension("png")));
        }
    }

    /// Fails if the page has complained of anything.
    #[track_caller]
    pub(crate) fn finish(self) {
        let complaints = self.script("return window.complaints");
        assert_eq!(complaints, json!([]), "the page has complained");
        let Self { driver, runtime, .. } = self;
        assert!(runtime.block_on(driver.quit()).is_ok(), "the browser doesn't end");
    }
}

fn binary(root: &Path) -> PathBuf {
    root.join("usr/lib/chromium/chromium")
}

/// The driver, on a port that the system chooses, with the libraries that were unpacked with it.
fn driver(root: &Path, profile: &Path) -> Command {
    let mut command = Command::new(root.join("usr/bin/chromedriver"));
    command.arg("--port=0").env("HOME", profile);
    if root != Path::new("/") {
        let folders = ["x86_64", "aarch64"].into_iter().flat_map(|machine| {
            let folder = root.join(format!("usr/lib/{machine}-linux-gnu"));
            [folder.clone(), folder.join("pulseaudio")]
        });
        let fonts = profile.join("fonts.conf");
        let conf = format!(
            "<fontconfig><dir>{}</dir><dir>/usr/share/fonts</dir><cachedir>{}</cachedir><alias><family>system-ui</family><prefer><family>DejaVu \
             Sans</family></prefer></alias></fontconfig>",
            root.join("usr/share/fonts").display(),
            profile.join("fonts").display(),
        );
        std::fs::write(&fonts, conf).expect("the fonts");
        command
            .env("LD_LIBRARY_PATH", env::join_paths(folders).expect("paths"))
            .env("FONTCONFIG_FILE", fonts);
    }
    command
}
