//! What can be wrong with a store, in one line each that says what to do; and whether a statement that failed was carried out.

use std::time::Duration;

use ractor_host_placement::statement::StoreFault;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::schema::VERSION;

/// The oldest version of PostgreSQL that has what the statements need: 64-bit numbers of transactions.
pub(crate) const OLDEST_SERVER: i32 = 13;

/// Why the store doesn't do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no connection.
    #[error("no connection to PostgreSQL: {0}")]
    Connect(String),
    /// There was no connection a moment ago, and the next attempt is not due yet.
    #[error("no connection to PostgreSQL; the next attempt is in {} ms: {why}", left.as_millis())]
    Paused {
        /// The time until then.
        left: Duration,
        /// What the last attempt said.
        why: String,
    },
    /// All connections are in use by statements that aren't answered.
    #[error("all connections to PostgreSQL wait for an answer: it is overloaded, or its disk is")]
    Busy,
    /// It did not answer in time.
    #[error("PostgreSQL didn't answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// Certificates can't be read.
    #[error("cannot read the certificates that the server's is checked with: {0}")]
    Roots(String),
    /// User or password are wrong.
    #[error(
        "PostgreSQL lets nobody in with this user and password ({0}): look at the URL of the store and at pg_hba.conf"
    )]
    Login(String),
    /// The database isn't there.
    #[error("{0}: make it with `createdb`, or name another in the URL of the store")]
    NoDatabase(String),
    /// It has no more connections.
    #[error("PostgreSQL has no connection left ({0}): raise max_connections, or put a pooler before it")]
    TooManyConnections(String),
    /// It is older than the statements need.
    #[error("PostgreSQL {0} is too old: version {OLDEST_SERVER} or later is needed")]
    OldServer(i32),
    /// It is a standby.
    #[error(
        "this PostgreSQL is a standby, which takes no writes: name the primary in the URL, or all hosts, separated by commas"
    )]
    Standby,
    /// It takes no writes.
    #[error("this PostgreSQL takes no writes: switch default_transaction_read_only off for this user")]
    ReadOnly,
    /// What it confirms may be lost.
    #[error(
        "PostgreSQL runs with fsync = off and may lose what it has confirmed: set fsync = on (after a crash with it off, restore a backup)"
    )]
    NoFsync,
    /// What it confirms may be lost.
    #[error(
        "PostgreSQL runs with synchronous_commit = {0} for this user and may lose what it has confirmed: ALTER ROLE … SET synchronous_commit = on"
    )]
    NoSynchronousCommit(String),
    /// The tables aren't there.
    #[error("the store isn't set up: run `ractor-host store init`, or let a node do it at its start")]
    NotSetUp,
    /// The tables are those of an older program.
    #[error(
        "the store has tables of version {0}, and this program needs {VERSION}: run `ractor-host store init`, which keeps what is there"
    )]
    OlderSchema(i32),
    /// The tables are those of a newer program.
    #[error("the store has tables of version {0}, and this program knows {VERSION}: use a newer ractor-host")]
    NewerSchema(i32),
    /// The user may not do this.
    #[error("{0}: give the user of the store's URL this right, or let its owner run `ractor-host store init`")]
    Rights(String),
    /// There is no space.
    #[error("PostgreSQL has no space left ({0}): free some; nothing that it confirmed is lost")]
    DiskFull(String),
    /// A lock was not to be had in time, or others were first.
    #[error("others were first ({0}); tried again")]
    Contended(String),
    /// It is going down or coming up.
    #[error("PostgreSQL is starting or stopping ({0})")]
    NotServing(String),
    /// The connection has ended.
    #[error("the connection to PostgreSQL has ended: {0}")]
    Closed(String),
    /// A type of entity has another number of shards.
    #[error(
        "the type {name} has {found} shards in the store, for ever, and {wanted} in the configuration: write {found}"
    )]
    Shards {
        /// The type.
        name: String,
        /// What the store has.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// An answer that isn't what was asked for.
    #[error("the tables of the store aren't as this program made them: {0}")]
    Damaged(String),
    /// Anything else.
    #[error("PostgreSQL refused: {0}")]
    Other(String),
}

/// A statement that has no outcome.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Fault {
    /// Whether it may have been carried out.
    pub fault: StoreFault,
    /// Why.
    #[source]
    pub error: StoreError,
}

impl Fault {
    pub(crate) fn failed(error: StoreError) -> Self {
        let fault = StoreFault::Failed;
        Self { fault, error }
    }

    pub(crate) fn unknown(error: StoreError) -> Self {
        let fault = StoreFault::Unknown;
        Self { fault, error }
    }

    /// What came of a statement that was sent.
    pub(crate) fn of_sent(error: &tokio_postgres::Error) -> Self {
        let fault = match error.as_db_error() {
            Some(error) if undid(error) => StoreFault::Failed,
            _ => StoreFault::Unknown,
        };
        let error = StoreError::of(error);
        Self { fault, error }
    }

    /// True if the same statement may succeed at once: it was undone because of others.
    pub(crate) fn is_contended(&self) -> bool {
        self.fault == StoreFault::Failed && matches!(self.error, StoreError::Contended(_))
    }
}

/// An error undoes the statement's transaction. One that ends the session may come after the commit: a crash of another
/// process of the server interrupts anything.
fn undid(error: &DbError) -> bool {
    let is_unclear = matches!(
        *error.code(),
        SqlState::TRANSACTION_RESOLUTION_UNKNOWN | SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    );
    error.parsed_severity() == Some(Severity::Error) && !is_unclear
}

impl StoreError {
    /// True if it stays until somebody does what it says.
    pub(crate) fn is_to_be_mended(&self) -> bool {
        matches!(
            self,
            Self::Roots(_)
                | Self::Login(_)
                | Self::NoDatabase(_)
                | Self::OldServer(_)
                | Self::ReadOnly
                | Self::NoFsync
                | Self::NoSynchronousCommit(_)
                | Self::NotSetUp
                | Self::OlderSchema(_)
                | Self::NewerSchema(_)
                | Self::Rights(_)
        )
    }

    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self::of_server(error),
            None if error.is_closed() => Self::Closed("the server, or what is between, has closed it".to_owned()),
            None => Self::Closed(with_causes(error)),
        }
    }

    pub(crate) fn of_connecting(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self::of_server(error),
            None => Self::Connect(with_causes(error)),
        }
    }

    fn of_server(error: &DbError) -> Self {
        let said = format!("{} [{}]", error.message(), error.code().code());
        match error.code().code() {
            "40001" | "40P01" | "55P03" => Self::Contended(said),
            "25006" => Self::ReadOnly,
            // `pg_walfile_name` can't be asked of a standby.
            "55000" if error.routine() == Some("pg_walfile_name") || error.routine() == Some("pg_current_wal_lsn") => {
                Self::Standby
            }
            "28000" | "28P01" => Self::Login(said),
            "3D000" => Self::NoDatabase(said),
            "3F000" | "42P01" => Self::NotSetUp,
            "42501" => Self::Rights(said),
            "42703" | "42883" | "42804" => Self::Damaged(said),
            "53100" => Self::DiskFull(said),
            "53300" => Self::TooManyConnections(said),
            code if code.starts_with("57P") => Self::NotServing(said),
            _ => Self::Other(said),
        }
    }

    /// True if another connection may lead to a server that is better for this.
    pub(crate) fn is_of_session(&self) -> bool {
        matches!(
            self,
            Self::Standby | Self::ReadOnly | Self::NotServing(_) | Self::Closed(_) | Self::NotSetUp | Self::Damaged(_)
        )
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        let said = one.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = one.source();
    }
    text
}
