//! An actor that exists once for each key. It is a register, a counter, a log and an account at once, and moves money between accounts.
//! Whoever calls it learns what was there before, so that a checker of histories sees what was lost and what was done twice.

use ractor::concurrency::Duration;
use ractor::entity::EntityRef;
use ractor::reload::Reload;
use ractor::requests::CallError;
use ractor::{Actor, ActorProcessingErr, ActorRef, RactorClusterMessage, RpcReplyPort};
use serde::{Deserialize, Serialize};

/// The type that accounts have in node.toml.
const TYPE: &str = "vault";

/// The longest wait for one account.
const WAIT: Duration = Duration::from_secs(4);

/// The calls of one account that may fail, before the transfer fails.
const ATTEMPTS: usize = 3;

/// See the crate.
#[derive(Debug, Default)]
pub struct Vault;

/// What a [`Vault`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum VaultMsg {
    /// Replies with what is in the register.
    #[rpc]
    Read(RpcReplyPort<u64>),
    /// Puts this into the register. Replies with what was there before.
    #[rpc]
    Swap(u64, RpcReplyPort<u64>),
    /// Puts the second value into the register if the first is there. Replies with what was there before.
    #[rpc]
    CompareAndSwap(u64, u64, RpcReplyPort<u64>),
    /// Counts up. Replies with the count.
    #[rpc]
    AddAndGet(u64, RpcReplyPort<u64>),
    /// Replies with the count.
    #[rpc]
    Count(RpcReplyPort<u64>),
    /// Puts the message of a sender with this number at the end of the log.
    Append(u64, u64),
    /// The same. Replies with how long the log is.
    #[rpc]
    AppendAndGet(u64, u64, RpcReplyPort<u64>),
    /// Replies with the log: `SENDER:NUMBER`, behind each other.
    #[rpc]
    Log(RpcReplyPort<String>),
    /// Puts money into the account, for the transfer of this name.
    #[rpc]
    Deposit(u64, String, RpcReplyPort<bool>),
    /// Takes money out of the account, for the transfer of this name. Replies with whether there was enough.
    #[rpc]
    Withdraw(u64, String, RpcReplyPort<bool>),
    /// Replies with what is in the account, and the transfers that it took part in: `BALANCE NAME:AMOUNT NAME:-AMOUNT`.
    #[rpc]
    Account(RpcReplyPort<String>),
    /// Has money moved from the account of the first key to that of the second, by a transfer of this name. Replies with whether there was
    /// enough.
    #[rpc]
    Transfer(String, String, u64, String, RpcReplyPort<bool>),
}

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    register: u64,
    count: u64,
    log: Vec<(u64, u64)>,
    balance: u64,
    /// The transfers: what each has put in, and taken out.
    transfers: Vec<(String, u64, u64)>,
}

impl Kept {
    fn append(&mut self, sender: u64, number: u64) -> u64 {
        self.log.push((sender, number));
        self.log.len() as u64
    }

    fn withdraw(&mut self, amount: u64, name: String) -> bool {
        let Some(left) = self.balance.checked_sub(amount) else {
            return false;
        };
        self.balance = left;
        self.transfers.push((name, 0, amount));
        true
    }

    fn account(&self) -> String {
        let mut words = vec![self.balance.to_string()];
        words.extend(self.transfers.iter().map(|(name, put, taken)| match taken {
            0 => format!("{name}:{put}"),
            taken => format!("{name}:-{taken}"),
        }));
        words.join(" ")
    }

    fn all_of_the_log(&self) -> String {
        let entries = self.log.iter().map(|(sender, number)| format!("{sender}:{number}"));
        entries.collect::<Vec<_>>().join(" ")
    }
}

/// Calls an account, and again while it isn't known what came of that: the key has it done once. Whoever gives up fails, and has done
/// nothing, so that the transfer may be repeated as a whole.
async fn once(
    key: &str,
    idempotency_key: &str,
    message: impl Fn(RpcReplyPort<bool>) -> VaultMsg,
) -> Result<bool, ActorProcessingErr> {
    let account = EntityRef::<VaultMsg>::new(TYPE, key)?;
    let mut last: Option<CallError> = None;
    for _ in 0..ATTEMPTS {
        let keyed = account.with_idempotency_key(idempotency_key);
        match keyed.call(&message, Some(WAIT)).await {
            Ok(done) => return Ok(done),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(String::new, |error| error.to_string());
    Err(format!("the account {key} doesn't answer: {why}").into())
}

async fn transfer(from: &str, to: &str, amount: u64, name: &str) -> Result<bool, ActorProcessingErr> {
    let (taking, putting) = (format!("{name}-out"), format!("{name}-in"));
    let withdraw = |reply| VaultMsg::Withdraw(amount, name.to_owned(), reply);
    if !once(from, &taking, withdraw).await? {
        return Ok(false);
    }
    let deposit = |reply| VaultMsg::Deposit(amount, name.to_owned(), reply);
    once(to, &putting, deposit).await
}

impl Actor for Vault {
    type Msg = VaultMsg;
    type State = Kept;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<VaultMsg>, (): ()) -> Result<Kept, ActorProcessingErr> {
        Ok(Kept::default())
    }

    async fn handle(
        &self,
        _: ActorRef<VaultMsg>,
        message: VaultMsg,
        kept: &mut Kept,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            VaultMsg::Read(reply) => reply.send(kept.register)?,
            VaultMsg::Swap(value, reply) => reply.send(std::mem::replace(&mut kept.register, value))?,
            VaultMsg::CompareAndSwap(old, new, reply) => {
                let before = kept.register;
                if before == old {
                    kept.register = new;
                }
                reply.send(before)?;
            }
            VaultMsg::AddAndGet(more, reply) => {
                kept.count += more;
                reply.send(kept.count)?;
            }
            VaultMsg::Count(reply) => reply.send(kept.count)?,
            VaultMsg::Append(sender, number) => {
                kept.append(sender, number);
            }
            VaultMsg::AppendAndGet(sender, number, reply) => reply.send(kept.append(sender, number))?,
            VaultMsg::Log(reply) => reply.send(kept.all_of_the_log())?,
            VaultMsg::Deposit(amount, name, reply) => {
                kept.balance += amount;
                kept.transfers.push((name, amount, 0));
                reply.send(true)?;
            }
            VaultMsg::Withdraw(amount, name, reply) => reply.send(kept.withdraw(amount, name))?,
            VaultMsg::Account(reply) => reply.send(kept.account())?,
            VaultMsg::Transfer(from, to, amount, name, reply) => {
                reply.send(transfer(&from, &to, amount, &name).await?)?;
            }
        }
        Ok(())
    }
}

impl Reload for Vault {}

ractor::export!(Vault, reload);
