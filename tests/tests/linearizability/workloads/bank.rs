//! Accounts, and tellers that move money between them. A teller is an entity that takes money out of one account and puts it into another,
//! by calls with idempotency keys, and a caller repeats its own call, which has one, too, until it is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use ractor_host_tests::random::Random;
use serde_json::{Value, json};

use super::Run;
use crate::caller::{Caller, Outcome};

/// The pause of a caller between two transfers.
const PAUSE: Duration = Duration::from_millis(400);

const ACCOUNTS: usize = 4;
const TELLERS: usize = 3;

/// What each account has in the beginning.
pub(crate) const OPENING: u64 = 300;
/// The most that a transfer moves. Some find too little.
const LARGEST: usize = 120;

/// What is done with one idempotency key in the beginning.
const OPENS: &str = "opening";

/// What a caller asked for, and what it heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) name: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) amount: u64,
    /// Whether there was enough; none if nobody said.
    pub(crate) is_done: Option<bool>,
}

/// What an account has in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) balance: u64,
    /// What each transfer has put in, by its name; less than 0 is what it took out.
    pub(crate) transfers: Vec<(String, i64)>,
}

pub(crate) fn key(account: usize) -> String {
    format!("account-{account}")
}

/// Gives every account what it has in the beginning.
pub(crate) fn open(run: &Run, caller: &Caller) {
    for account in 0..ACCOUNTS {
        let arguments = json!([OPENING, OPENS]);
        run.repeat("an account", || {
            caller.call(&key(account), "Deposit", &arguments, Some(OPENS))
        });
    }
}

/// One caller, until the run is over.
pub(crate) fn call(run: &Run, callers: &[Caller], client: usize, random: &mut Random) -> Vec<Transfer> {
    let mut history = Vec::new();
    for at in 0_u64.. {
        if !run.goes_on() {
            break;
        }
        let from = random.below(ACCOUNTS);
        let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
        let mut transfer = Transfer {
            name: format!("transfer-{client}-{at}"),
            from,
            to,
            amount: 1 + random.below(LARGEST) as u64,
            is_done: None,
        };
        let teller = format!("teller-{}", random.below(TELLERS));
        let arguments = json!([key(from), key(to), transfer.amount, transfer.name]);
        let outcome = run.repeat("a teller", || {
            let caller = &callers[random.below(callers.len())];
            caller.call(&teller, "Transfer", &arguments, Some(&transfer.name))
        });
        if let Outcome::Done(reply) = outcome {
            transfer.is_done = reply.as_bool();
        }
        history.push(transfer);
        run.pause(PAUSE);
    }
    history
}

/// Reads all accounts by this caller, when the faults have ended. None if one doesn't answer.
pub(crate) fn read_all(run: &Run, caller: &Caller) -> Option<Vec<Account>> {
    let read = |number| {
        let outcome = run.repeat("an account", || caller.call(&key(number), "Account", &json!([]), None));
        match outcome {
            Outcome::Done(reply) => Some(account(&reply)),
            Outcome::NotHandled(_) | Outcome::Unknown(_) => None,
        }
    };
    (0..ACCOUNTS).map(read).collect()
}

fn account(reply: &Value) -> Account {
    let text = reply
        .as_str()
        .unwrap_or_else(|| panic!("an account isn't a text: {reply}"));
    let mut words = text.split_whitespace();
    let balance = words.next().and_then(|word| word.parse().ok());
    let transfer = |word: &str| {
        let (name, amount) = word.rsplit_once(':')?;
        Some((name.to_owned(), amount.parse().ok()?))
    };
    let transfers = words.map(|word| transfer(word).unwrap_or_else(|| panic!("{word:?} is no transfer")));
    Account {
        balance: balance.unwrap_or_else(|| panic!("{text:?} has no balance")),
        transfers: transfers.collect(),
    }
}

/// What is wrong with the accounts.
pub(crate) fn check(transfers: &[Transfer], accounts: &[Account]) -> Vec<String> {
    let mut found = Vec::new();
    let sum: u64 = accounts.iter().map(|account| account.balance).sum();
    let all = OPENING * accounts.len() as u64;
    // A transfer that nobody said anything about may be done by half.
    if sum != all && transfers.iter().all(|transfer| transfer.is_done.is_some()) {
        found.push(format!("the accounts had {all} and have {sum}"));
    }
    for (number, account) in accounts.iter().enumerate() {
        let moved: i64 = account.transfers.iter().map(|(_, amount)| amount).sum();
        if i64::try_from(account.balance) != Ok(moved) {
            found.push(format!(
                "{} has {}, and its transfers {moved}",
                key(number),
                account.balance
            ));
        }
    }
    let mut moved: BTreeMap<(&str, usize), Vec<i64>> = BTreeMap::new();
    for (number, account) in accounts.iter().enumerate() {
        for (name, amount) in &account.transfers {
            moved.entry((name, number)).or_default().push(*amount);
        }
    }
    for transfer in transfers {
        found.extend(check_one(transfer, |account| {
            moved.remove(&(transfer.name.as_str(), account)).unwrap_or_default()
        }));
    }
    let opened = |(name, _): &(&str, usize), amounts: &Vec<i64>| *name == OPENS && amounts.len() == 1;
    moved.retain(|place, amounts| !opened(place, amounts));
    found.extend(
        moved
            .iter()
            .map(|(place, amounts)| format!("{place:?} has moved {amounts:?}")),
    );
    found
}

fn check_one(transfer: &Transfer, mut moved: impl FnMut(usize) -> Vec<i64>) -> Option<String> {
    let amount = i64::try_from(transfer.amount).unwrap_or(i64::MAX);
    let (out, put) = (moved(transfer.from), moved(transfer.to));
    let is_none = out.is_empty() && put.is_empty();
    let is_taken = out == [-amount];
    let is_whole = is_taken && put == [amount];
    let is_good = match transfer.is_done {
        Some(true) => is_whole,
        Some(false) => is_none,
        None => is_none || is_whole || (is_taken && put.is_empty()),
    };
    (!is_good).then(|| format!("{transfer:?} took {out:?} and put {put:?}"))
}
