//! An actor that exists once for each customer, and sends to others of its kind.

use ractor::concurrency::Duration;
use ractor::entity::{self, EntityRef, Reminders, When};
use ractor::reload::Reload;
use ractor::{
    Actor, ActorProcessingErr, ActorRef, FailCall as _, RactorClusterMessage, RpcReplyPort, pg, registry, time,
};
use serde::{Deserialize, Serialize};

/// See the crate.
#[derive(Debug, Default)]
pub struct Carts;

/// What a [`Carts`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum CartMsg {
    /// Puts this many things into the cart.
    Put(u64),
    /// The same, and replies with what is in it.
    #[rpc]
    PutAndGet(u64, RpcReplyPort<u64>),
    /// Replies with what is in the cart.
    #[rpc]
    Get(RpcReplyPort<u64>),
    /// Replies with the name of the entity.
    #[rpc]
    Name(RpcReplyPort<String>),
    /// Puts things into this cart, and as many into another one.
    PutInBoth(EntityRef<CartMsg>, u64),
    /// Puts things into this cart, has the other one put as many, waits for what that has, and replies with both.
    #[rpc]
    PutAndAsk(EntityRef<CartMsg>, u64, RpcReplyPort<Vec<u64>>),
    /// Puts things into the cart, and tells the actor of a name, as a text `put N`.
    Tell(String, u64),
    /// Puts things into the cart, and tells that actor a while later.
    TellLater(String, u64),
    /// Puts things into the cart, and joins a process group.
    Join(String, u64),
    /// Has the other cart put things with this idempotency key, twice, and replies with what that said.
    #[rpc]
    PutThereOnce(EntityRef<CartMsg>, u64, String, RpcReplyPort<String>),
    /// Puts things into the cart, and replies at the next `Answer`.
    #[rpc]
    PutAndWait(u64, RpcReplyPort<u64>),
    /// Replies to all that wait.
    Answer,
    /// Fails the call, after it has put things into the cart.
    #[rpc]
    Refuse(u64, RpcReplyPort<u64>),
    /// Gives up the cart.
    #[rpc]
    Delete(RpcReplyPort<bool>),
    /// Has this many things put into the cart when a reminder of this id is due, after as many milliseconds and then in each period of as
    /// many; 0 is none.
    RemindToPut(String, u64, u64, u64),
    /// Fails when a reminder of this id is due, after as many milliseconds.
    RemindToCrash(String, u64),
    /// Ends a reminder.
    CancelReminder(String),
    /// Replies with the ids of the reminders.
    #[rpc]
    Reminders(RpcReplyPort<String>),
    /// Sets reminders until one is refused. Replies with how many there are, and why.
    #[rpc]
    RemindTooOften(RpcReplyPort<String>),
    /// Stops by itself.
    Stop,
    /// Fails, after it has put things into the cart.
    Crash(u64),
}

/// What a listener is told.
#[derive(Debug, RactorClusterMessage)]
pub enum ListenerMsg {
    /// So much was put into a cart.
    Put(u64),
}

/// What is kept of a cart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Cart {
    things: u64,
    /// Those who wait for a reply.
    #[serde(skip)]
    owed: Vec<RpcReplyPort<u64>>,
}

impl Actor for Carts {
    type Msg = CartMsg;
    type State = Cart;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<CartMsg>, (): ()) -> Result<Cart, ActorProcessingErr> {
        Ok(Cart::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<CartMsg>,
        message: CartMsg,
        cart: &mut Cart,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CartMsg::Put(more) => cart.things += more,
            CartMsg::PutAndGet(more, reply) => {
                cart.things += more;
                reply.send(cart.things)?;
            }
            CartMsg::Get(reply) => reply.send(cart.things)?,
            CartMsg::Name(reply) => {
                let entity = entity::of(&myself).ok_or("this is no entity")?;
                reply.send(entity.to_string())?;
            }
            CartMsg::PutInBoth(other, more) => {
                cart.things += more;
                other.cast(CartMsg::Put(more))?;
            }
            CartMsg::PutAndAsk(other, more, reply) => {
                cart.things += more;
                let asked = other.call(|reply| CartMsg::PutAndGet(more, reply), Some(Duration::from_secs(10)));
                match asked.await {
                    Ok(there) => reply.send(vec![cart.things, there])?,
                    Err(error) => reply.fail(error),
                }
            }
            CartMsg::Tell(listener, more) => {
                cart.things += more;
                listener_of(&listener)?.cast(ListenerMsg::Put(more))?;
            }
            CartMsg::TellLater(listener, more) => {
                cart.things += more;
                let listener = listener_of(&listener)?;
                time::send_after(Duration::from_millis(1), listener.get_cell(), move || {
                    ListenerMsg::Put(more)
                });
            }
            CartMsg::Join(group, more) => {
                cart.things += more;
                pg::join(group, vec![myself.get_cell()]);
            }
            CartMsg::PutThereOnce(other, more, key, reply) => {
                reply.send(put_twice(&other, more, &key).await)?;
            }
            CartMsg::PutAndWait(more, reply) => {
                cart.things += more;
                cart.owed.push(reply);
            }
            CartMsg::Answer => {
                for reply in cart.owed.drain(..) {
                    reply.send(cart.things)?;
                }
            }
            CartMsg::Refuse(more, reply) => {
                cart.things += more;
                reply.fail("the shop is closed");
            }
            CartMsg::Delete(reply) => {
                let own = entity::of(&myself).ok_or("this is no entity")?;
                reply.send(entity::delete(&own))?;
            }
            CartMsg::RemindToPut(id, after_ms, period_ms, more) => {
                let period = Some(Duration::from_millis(period_ms)).filter(|period| !period.is_zero());
                let first = When::After(Duration::from_millis(after_ms));
                reminders(&myself)?.set(id, first, period, CartMsg::Put(more))?;
            }
            CartMsg::RemindToCrash(id, after_ms) => {
                let first = When::After(Duration::from_millis(after_ms));
                reminders(&myself)?.set(id, first, None, CartMsg::Crash(1))?;
            }
            CartMsg::CancelReminder(id) => {
                reminders(&myself)?.cancel(&id);
            }
            CartMsg::Reminders(reply) => {
                let ids: Vec<String> = reminders(&myself)?.list().into_iter().map(|one| one.id).collect();
                reply.send(ids.join(" "))?;
            }
            CartMsg::RemindTooOften(reply) => {
                let reminders = reminders(&myself)?;
                let day = When::After(Duration::from_secs(86_400));
                let mut set = 0_u64;
                let refused = loop {
                    match reminders.set(set.to_string(), day, None, CartMsg::Put(1)) {
                        Ok(()) => set += 1,
                        Err(refused) => break refused,
                    }
                };
                reply.send(format!("{set}: {refused}"))?;
            }
            CartMsg::Stop => myself.stop(None),
            CartMsg::Crash(more) => {
                cart.things += more;
                return Err("as asked".into());
            }
        }
        Ok(())
    }
}

/// Makes a call twice with this key. Gives what was said.
async fn put_twice(other: &EntityRef<CartMsg>, more: u64, key: &str) -> String {
    let other = other.with_idempotency_key(key);
    let mut said = Vec::new();
    for _ in 0..2 {
        let wait = Some(Duration::from_secs(10));
        said.push(match other.call(|reply| CartMsg::PutAndGet(more, reply), wait).await {
            Ok(there) => there.to_string(),
            Err(error) => error.to_string(),
        });
    }
    said.join("; ")
}

fn reminders(myself: &ActorRef<CartMsg>) -> Result<Reminders<CartMsg>, ActorProcessingErr> {
    entity::reminders(myself).ok_or_else(|| "this is no entity".into())
}

fn listener_of(name: &str) -> Result<ActorRef<ListenerMsg>, ActorProcessingErr> {
    let found = registry::where_is(name);
    found
        .map(ActorRef::from)
        .ok_or_else(|| format!("nobody is called {name}").into())
}

impl Reload for Carts {}

ractor::export!(Carts, reload, awaits);
