//! The command line.

mod reach;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::apply::{self, ApplyArguments};
use super::argument::Word;
use super::checkpoints::CheckpointsArguments;
use super::completions::{self, CompletionsArguments};
use super::doctor::{self, DoctorArguments};
use super::entities::EntitiesArguments;
use super::events::{self, EventsArguments};
use super::init::{self, InitArguments};
use super::links::LinksArguments;
use super::man::{self, ManArguments};
use super::node_summary::NodeSummaryArguments;
use super::operating::{
    DRAIN_EXAMPLES, DrainArguments, KILL_EXAMPLE, LOGLEVEL_EXAMPLES, LOGS_EXAMPLES, LoglevelArguments, LogsArguments,
    RESTART_EXAMPLE, START_EXAMPLE, STOP_EXAMPLES, SteerArguments,
};
use super::project::ProjectCommand;
use super::ps::PsCommand;
use super::show::ShowArguments;
use super::spawn::SpawnArguments;
use super::store::StoreArguments;
use super::top::TopArguments;
use super::trace::TraceArguments;
use crate::config::{ConfigOptions, Type};
use crate::control::RequestId;
use crate::control::Target;
use crate::guest::Mode;
use crate::ops::telemetry::LogFormat;
pub(super) use reach::{ControlArguments, KeyArguments, NodeArguments, OptionalCookieArguments, TlsArguments};

const LITERALS: &str = "\
Arguments:
  A guest describes the types of its messages, so `5` or `hello` is enough. Other actors need literals with a type:
  u64:5  i32:-3  f64:1.5  bool:true  char:x  str:hello  bytes:00ff  unit  [u64]:1,2,3
  Integer types are u8 to u128 and i8 to i128, float types f32 and f64. Everything after `str:` is taken verbatim. Where
  the type is known, a list is written 1,2,3 and bytes are written in hexadecimal. `bytes:@FILE` sends what a file
  contains, `bytes:@-` what is read from standard input; the bytes of a text are its UTF-8.";

const CALL_EXAMPLES: &str = "\
Examples:
  ractor-host call counter AddAndGet 5
  ractor-host call entity:cart/4711 Pay 990 --idempotency-key order-17
  ractor-host call --node 127.0.0.1:4697 --cookie-file cookie counter AddAndGet 5
  ractor-host call --node 127.0.0.1:4697 --cookie-file cookie group:counters Get --reply u64
  ractor-host call --node 127.0.0.1:4697 --cookie-env COOKIE pid:7 AddAndGet u64:5 --reply u64 --timeout 500ms
  ractor-host call --node alpha.example:4697 --cookie-file cookie --tls-ca ca.pem --tls-cert me.pem --tls-key me-key.pem \\
      group:counters Get --reply u64
  gzip -c report | ractor-host call --node 127.0.0.1:4697 --cookie-file cookie archive Keep str:report bytes:@-";

const CAST_EXAMPLES: &str = "\
Examples:
  ractor-host cast counter Add 5
  ractor-host cast --node 127.0.0.1:4697 --cookie-file cookie counter Add 5
  ractor-host cast --node 127.0.0.1:4697 --cookie-file cookie group:counters Add u64:5 --all";

const RELOAD_EXAMPLES: &str = "\
Examples:
  ractor-host reload --node 127.0.0.1:4697 --cookie-file cookie --key-file deploy.key counter
  ractor-host reload --node 127.0.0.1:4697 --cookie-file cookie --key-file deploy.key counter --file new.wasm --dry-run
  ractor-host reload --node a:4697 --all-nodes --cookie-file cookie --key-file deploy.key counter --file new.wasm";

const ROLLBACK_EXAMPLE: &str = "\
Example:
  ractor-host rollback --node 127.0.0.1:4697 --cookie-file cookie --key-file deploy.key counter";

const STATUS_EXAMPLE: &str = "\
Example:
  ractor-host status --node 127.0.0.1:4697 --all-nodes --cookie-file cookie --key-file deploy.key --output json";

const PS_EXAMPLES: &str = "\
Examples:
  ractor-host ps
  ractor-host ps -f /etc/ractor-host/node.toml --output json
  ractor-host ps --sort cpu --watch
  ractor-host ps --filter orders --sort memory
  ractor-host ps --node 127.0.0.1:4697 --all-nodes --cookie-file cookie --key-file deploy.key";

const DESCRIBE_EXAMPLES: &str = "\
Examples:
  ractor-host describe counter
  ractor-host describe --node 127.0.0.1:4697 --cookie-file cookie counter";

/// A node of a cluster of actors: native Rust and WebAssembly side by side, compatible with ractor_cluster 0.16.
#[derive(Debug, Parser)]
#[command(name = "ractor-host", version, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the node that a node.toml describes, until SIGINT, SIGTERM or SIGQUIT. At SIGHUP it reads the file anew, as `apply` does.
    ///
    /// Logs go to stderr; RUST_LOG selects them. Once everything has started, the line `ready node=NAME listen=ADDRESS`
    /// appears on stdout.
    #[command(
        after_help = "Examples:\n  ractor-host run node.toml --log-format json\n  ractor-host run node.toml --set node.name=beta"
    )]
    Run(RunArguments),
    /// Run the node, and build and reload its modules whenever their sources change.
    ///
    /// Like `run`, with every module watched. When one of its `sources` changes, a module is built with the command `build`
    /// from node.toml (such as `ractor-host build`), or with cargo if its path is TARGET/wasm32-wasip2/PROFILE/NAME.wasm. Actors keep
    /// their state.
    #[command(after_help = "Example:\n  ractor-host dev node.toml")]
    Dev(RunArguments),
    /// Check a node.toml and the modules it names, without starting anything.
    #[command(after_help = "Example:\n  ractor-host check node.toml")]
    Check(CheckArguments),
    /// Describe a component: its messages, its imports and exports, and the capabilities that it could use.
    ///
    /// Needs neither a node nor a node.toml. Of the component, only the function that describes it runs.
    #[command(after_help = "Example:\n  ractor-host inspect counter.wasm --output json")]
    Inspect(InspectArguments),
    /// Send a message to an actor on any node and print its reply.
    #[command(after_help = format!("{LITERALS}\n\n{CALL_EXAMPLES}"))]
    Call(CallArguments),
    /// Send a message to an actor on any node without waiting for a reply.
    #[command(after_help = format!("{LITERALS}\n\n{CAST_EXAMPLES}"))]
    Cast(CastArguments),
    /// Ask an actor which messages it takes. Guests answer; native actors and nodes of ractor_cluster don't.
    #[command(after_help = DESCRIBE_EXAMPLES)]
    Describe(DescribeArguments),
    /// Replace the code of a module while its actors keep running, on one node or on several.
    ///
    /// With --file, the component is uploaded to all nodes, all are asked whether they could take it, and it is then rolled
    /// out node by node; the first failure stops the rollout. Without it, each node reads its own file of the module again.
    #[command(after_help = RELOAD_EXAMPLES)]
    Reload(ReloadArguments),
    /// Take a module back to the code that it had before.
    #[command(after_help = ROLLBACK_EXAMPLE)]
    Rollback(RollbackArguments),
    /// Show which modules nodes have, their versions, and how many actors run them.
    #[command(after_help = STATUS_EXAMPLE)]
    Status(StatusArguments),
    /// List the actors of nodes: native ones and guests, with their names, pids, groups and modules.
    #[command(after_help = PS_EXAMPLES)]
    Ps(PsCommand),
    /// Show which actor supervises which.
    #[command(after_help = "Example:\n  ractor-host tree")]
    Tree(PsArguments),
    /// List the process groups that nodes see, and where their members are.
    #[command(after_help = "Example:\n  ractor-host groups --output json")]
    Groups(GroupsArguments),
    /// List the types of entities that nodes have, with what they have done; list the entities of a type, or give up a state.
    #[command(after_help = "Example:\n  ractor-host entities --output json")]
    Entities(Box<EntitiesArguments>),
    /// Set up the store of a cluster, or show what it is like and which nodes it lists.
    #[command(after_help = "Example:\n  ractor-host store status node.toml")]
    Store(StoreArguments),
    /// Stop an actor in order, and keep it stopped.
    ///
    /// The actor finishes the message it is handling and ends. Its supervisor does not start it again until `ractor-host start`; meanwhile
    /// `status` lists it. The node stays ready.
    #[command(after_help = STOP_EXAMPLES)]
    Stop(SteerArguments),
    /// Start an actor of node.toml that was stopped, was given up or has ended.
    #[command(after_help = START_EXAMPLE)]
    Start(SteerArguments),
    /// End an actor at once, in the middle of what it does. Its supervisor starts it again as after any failure.
    #[command(after_help = KILL_EXAMPLE)]
    Kill(SteerArguments),
    /// Restart an actor: a guest gets a fresh instance and keeps its mailbox; a native actor is replaced by a new one.
    #[command(after_help = RESTART_EXAMPLE)]
    Restart(SteerArguments),
    /// Have a node leave the cluster in order and end, as at SIGTERM.
    ///
    /// It is not ready from then on, takes its actors out of their groups for its peers, lets them handle what they were sent, keeps
    /// their states, and ends with exit code 0.
    #[command(after_help = DRAIN_EXAMPLES)]
    Drain(DrainArguments),
    /// Show what a node logs, or change it while the node runs.
    #[command(after_help = LOGLEVEL_EXAMPLES)]
    Loglevel(LoglevelArguments),
    /// Show the last lines of a node's log, and with --follow those to come.
    ///
    /// The node keeps its last lines in memory, 1 MiB of them, whatever becomes of its stderr.
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(LogsArguments),
    /// List the sessions of nodes with other nodes: how long a ping takes, and what passes over them.
    #[command(after_help = "Examples:\n  ractor-host nodes\n  ractor-host nodes --all-nodes --output json")]
    Nodes(LinksArguments),
    /// Show a node's resource usage and totals.
    #[command(after_help = "Example:\n  ractor-host node -f /etc/ractor-host/node.toml")]
    Node(NodeSummaryArguments),
    /// Show everything of one actor: what it has done and holds, its limits, its last failure and its last reloads.
    #[command(after_help = "Examples:\n  ractor-host show counter\n  ractor-host show pid:17 --output json")]
    Show(ShowArguments),
    /// Apply a changed node.toml to a running node.
    ///
    /// The node reads its file anew, as at SIGHUP: actors, modules and peers are added, removed and changed to match it. Changes that need
    /// a restart are listed. If a part of the file is wrong, nothing is done; if something fails, what was done is taken back.
    #[command(after_help = apply::EXAMPLES)]
    Apply(Box<ApplyArguments>),
    /// Print the JSON schema of node.toml, by which editors complete and check it.
    #[command(after_help = "Example:\n  ractor-host schema > node-toml.schema.json")]
    Schema,
    /// Show the messages that pass an actor, one by one: what it gets and sends, their sizes, and how long things take.
    ///
    /// The trace stops by itself and never exceeds its limits per second and in total. Other actors are not slowed down.
    #[command(after_help = super::trace::EXAMPLES)]
    Trace(TraceArguments),
    /// List the kept states of an actor, or have it go back to one.
    #[command(after_help = super::checkpoints::EXAMPLES)]
    Checkpoints(CheckpointsArguments),
    /// Start another guest of a module that the node has, until the node stops.
    #[command(after_help = super::spawn::EXAMPLES)]
    Spawn(SpawnArguments),
    /// Show nodes and their actors on the terminal, live: who is busy, and how much waits.
    #[command(after_help = super::top::EXAMPLES)]
    Top(TopArguments),
    /// Show what happened on a node lately: restarts, reloads, nodes that came and went; and with --follow what happens next.
    ///
    /// The node keeps its last 2048 events in memory.
    #[command(after_help = events::EXAMPLES)]
    Events(EventsArguments),
    #[command(flatten)]
    Project(ProjectCommand),
    /// Make a folder for a node: a node.toml with comments, a cookie, and with --cluster several nodes that find each other.
    ///
    /// What it makes runs as it is. Files that are there already are never overwritten. With --tls it makes a CA, too, and a certificate
    /// for each node.
    #[command(after_help = init::EXAMPLES)]
    Init(InitArguments),
    /// Find out what is wrong with this machine, a node.toml or a running node, and how to mend it.
    ///
    /// Nothing is changed. Without -f and --node, the node.toml is the one in the current folder, if there is one. The exit code is 1 if
    /// something fails, and 0 if there are only warnings.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(Box<DoctorArguments>),
    /// Print the script by which a shell completes the commands and options of this program.
    #[command(after_help = completions::EXAMPLES)]
    Completions(CompletionsArguments),
    /// Print the manual page of a command, or write all pages into a folder.
    #[command(after_help = man::EXAMPLES)]
    Man(ManArguments),
}

/// Which node.toml, and what takes the place of values in it.
#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    /// The node's configuration.
    #[arg(value_name = "NODE.TOML")]
    pub(super) file: PathBuf,
    /// Set a value in place of the one in the file. May be given several times.
    ///
    /// KEY is written with dots, as in TOML: node.name=beta, 'node.peers=["alpha:4697"]', actors.counter.count=5 for the actor
    /// of that name. VALUE is TOML; what is not valid TOML is taken as text.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

impl ConfigArguments {
    /// How the file is read, if its modules are there.
    pub(super) fn options(&self) -> ConfigOptions {
        ConfigOptions {
            set: self.set.clone(),
            ..ConfigOptions::default()
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    /// The format of the log on stderr.
    #[arg(long, value_enum, default_value_t)]
    pub(super) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
}

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// The component to describe.
    #[arg(value_name = "MODULE.WASM")]
    pub(super) file: PathBuf,
    /// The source that the component runs, as `source` of a module in node.toml.
    #[arg(long, value_name = "FILE")]
    pub(super) source: Option<PathBuf>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct CallArguments {
    #[command(flatten)]
    pub(super) node: NodeArguments,
    #[command(flatten)]
    pub(super) message: MessageArguments,
    /// The type of the reply. By default, the type that the actor describes, or hexadecimal bytes if it describes none.
    #[arg(long, value_name = "TYPE")]
    pub(super) reply: Option<Type>,
    /// Have the call of an entity handled once, however often it is made with this key: each time there is the reply of the first time, for
    /// ten minutes. For entities of a node on this machine.
    #[arg(long, value_name = "KEY")]
    pub(super) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CastArguments {
    #[command(flatten)]
    pub(super) node: NodeArguments,
    #[command(flatten)]
    pub(super) message: MessageArguments,
    /// Send it to every member of the group instead of to one of them.
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct DescribeArguments {
    #[command(flatten)]
    pub(super) node: NodeArguments,
    /// The actor: its name, `group:NAME` for a member of a process group, `pid:N`, or `entity:TYPE/KEY`.
    pub(super) target: Target,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct ReloadArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The name of the module in node.toml.
    pub(super) module: String,
    /// The component to upload. Without it, each node takes what its own file of the module contains now.
    #[arg(long, value_name = "WASM")]
    pub(super) file: Option<PathBuf>,
    /// What happens to the state of the actors. By default, actors that can hand their state over do so, and the others start
    /// afresh if they may be restarted.
    #[arg(long, value_enum)]
    pub(super) mode: Option<StateMode>,
    /// If some actors can't be reloaded, let the others keep the new code.
    #[arg(long)]
    pub(super) mixed: bool,
    /// Reload even if the new code says that it is another actor, that its state is older, or that it starts with other arguments.
    #[arg(long)]
    pub(super) force: bool,
    /// Only report what would be done, and whether it is possible.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Change nothing, but ask what became of the request with this number. A command prints it when the answer is lost.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["file", "mode", "mixed", "force", "dry_run"])]
    pub(super) request: Option<RequestId>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The name of the module in node.toml.
    pub(super) module: String,
    /// Change nothing, but ask what became of the request with this number. A command prints it when the answer is lost.
    #[arg(long, value_name = "NUMBER")]
    pub(super) request: Option<RequestId>,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct PsArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// Include actors that only their own process can send to, such as those that the node itself is made of.
    #[arg(long, short)]
    pub(super) all: bool,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct GroupsArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    pub(super) control: ControlArguments,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: OutputFormat,
}

/// What becomes of the state of actors that get other code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StateMode {
    /// The old code hands it over to the new code.
    Snapshot,
    /// It is given up: the new code starts afresh.
    Restart,
}

impl From<StateMode> for Mode {
    fn from(mode: StateMode) -> Self {
        match mode {
            StateMode::Snapshot => Self::Snapshot,
            StateMode::Restart => Self::Restart,
        }
    }
}

/// The format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// Text for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
}

/// To whom, and what.
#[derive(Debug, Args)]
pub(super) struct MessageArguments {
    /// The recipient: an actor's name, `group:NAME` for a member of a process group, `pid:N`, or `entity:TYPE/KEY`.
    pub(super) target: Target,
    /// The variant of the actor's message enum.
    pub(super) variant: String,
    /// The fields of the variant, in order, without the reply port.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub(super) arguments: Vec<Word>,
}

#[cfg(test)]
mod tests;
