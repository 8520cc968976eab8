//! The nodes of one language: its kitchens, and who calls them and is called.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ractor_host_tests::host::HostNode;
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::Stream;
use ractor_host_tests::{programs, wait};

use crate::cases::CASES;
use crate::here;
use crate::kitchen;
use crate::language::Language;
use crate::wire::args;

/// The count of the Rust kitchen on the same node.
pub(crate) const COUNT_HERE: u64 = 7;
/// The count of that on the other node.
pub(crate) const COUNT_AWAY: u64 = 9;

/// Two linked nodes and a stock program that is linked to the first.
pub(crate) struct Restaurant {
    pub(crate) language: Language,
    /// Has the kitchens of the language, a `waiter`, and the Rust kitchen `rust`.
    home: Mutex<HostNode>,
    home_name: String,
    /// Has the Rust kitchen `rust`.
    away: HostNode,
    stock: Mutex<Peer>,
}

impl Restaurant {
    #[track_caller]
    pub(crate) fn open(language: Language, component: &Path) -> Self {
        let away_name = format!("away-{}", language.short());
        let rust = programs::guest("kitchen_rs");
        let away = HostNode::start(&away_name, &(module("rust", &rust) + &actor("rust", "rust", "", "")));
        let home_name = format!("home-{}", language.short());
        let home = HostNode::start(&home_name, &home(component, away.address(), &group_of(language)));
        let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", home.address()]);
        stock.wait_session(home.name());
        here::RUNTIME.block_on(here::connect(home.address()));
        here::RUNTIME.block_on(here::connect(away.address()));
        let this = Self {
            language,
            home_name: home.name().to_owned(),
            home: Mutex::new(home),
            away,
            stock: Mutex::new(stock),
        };
        for (full, count) in [(this.at_home("rust"), COUNT_HERE), (this.at_away("rust"), COUNT_AWAY)] {
            kitchen::cast(&full, "Add", args![count]);
            wait::until("a count", || kitchen::call(&full, "Get", args![]), Result::is_ok).expect("a count");
        }
        this
    }

    /// The full name of an actor of the first node.
    pub(crate) fn at_home(&self, name: &str) -> String {
        format!("{name}@{}", self.home_name)
    }

    /// The full name of an actor of the second.
    pub(crate) fn at_away(&self, name: &str) -> String {
        format!("{name}@{}", self.away.name())
    }

    /// The group of its kitchens: nodes of other languages may be linked to these.
    pub(crate) fn group(&self) -> String {
        group_of(self.language)
    }

    /// The node with the kitchens.
    pub(crate) fn home(&self) -> MutexGuard<'_, HostNode> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stock program.
    pub(crate) fn stock(&self) -> MutexGuard<'_, Peer> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last of what the first node logged.
    pub(crate) fn log(&self) -> String {
        let mut home = self.home();
        let lines = home.process().lines(Stream::Stderr);
        let last = lines.len().saturating_sub(60);
        lines[last..].iter().fold(String::new(), |mut text, line| {
            let _infallible = write!(text, "\n{line}");
            text
        })
    }
}

fn group_of(language: Language) -> String {
    format!("kitchens-{}", language.short())
}

/// Its node.toml: a kitchen for each case and each caller.
fn home(component: &Path, peer: &str, group: &str) -> String {
    let mut toml = format!("peers = [{peer:?}]\n")
        + &module("kitchen", component)
        + &module("rust", &programs::guest("kitchen_rs"))
        + &module("waiter", &programs::guest("waiter"))
        + &actor("rust", "rust", "", "")
        + &actor("peer", "kitchen", "", "")
        + "\n[[actors]]\nname = \"waiter\"\nmodule = \"waiter\"\ncapabilities = { messages = [\"*\"] }\n"
        + "\n[[actors]]\nname = \"poor\"\nmodule = \"kitchen\"\narguments = \"str:\"\n";
    let groups = format!("groups = [{group:?}]\n");
    for case in CASES {
        for caller in case.callers {
            let name = case.actor(*caller);
            toml += &actor(&name, "kitchen", case.argument, &groups);
            toml += case.limits;
            for mortal in 1..=case.mortals {
                toml += &actor(&format!("{name}-mortal-{mortal}"), "rust", "", "");
            }
        }
    }
    toml
}

pub(crate) fn module(name: &str, path: &Path) -> String {
    format!("[modules.{name}]\npath = {path:?}\n")
}

/// A kitchen that may do everything, and begins anew when it failed.
pub(crate) fn actor(name: &str, module: &str, argument: &str, more: &str) -> String {
    // Grants name modules that are there.
    let spawn = module;
    format!(
        "\n[[actors]]\nname = \"{name}\"\nmodule = \"{module}\"\narguments = \"str:{argument}\"\nrestart = \"transient\"\n{more}\
         config = {{ peer = \"rust\", colour = \"blue\" }}\n\
         capabilities = {{ messages = [\"*\"], spawn = [{spawn:?}] }}\n"
    )
}
