//! One connection to the gateway: lines in, lines out, in the same order.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::{ActorCell, pg};
use ractor_host::call;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::clients::desk::DeskMsg;
use crate::clients::partner::PartnerMsg;
use crate::gateway::Counts;

/// Those who read orders.
const PARTNERS: &str = "partners";
/// Those who decide about them.
const DESKS: &str = "desks";
/// The longest wait for any one actor.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers each order with `ID VERDICT POINTS` or `failed: REASON`, until the other side has no more.
pub(crate) async fn serve(stream: TcpStream, counts: Arc<Counts>) {
    let (orders, mut answers) = stream.into_split();
    let mut orders = BufReader::new(orders).lines();
    while let Ok(Some(order)) = orders.next_line().await {
        counts.received.fetch_add(1, Ordering::Relaxed);
        let (count, answer) = match decide(order).await {
            Ok(answer) => (&counts.decided, answer),
            Err(reason) => (&counts.failed, format!("failed: {reason}")),
        };
        count.fetch_add(1, Ordering::Relaxed);
        if answers.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Has the partner's plug-in read the order, and a desk decide. Neither knows on which node it is, nor in which language the other is.
async fn decide(line: String) -> Result<String, String> {
    let partner = member_of(PARTNERS)?;
    // What comes back is JSON, which only the desk has to understand.
    let order = call(&partner, |reply| PartnerMsg::Parse(line, reply), Some(PATIENCE))
        .await
        .map_err(because("the partner's plug-in"))?;
    let desk = member_of(DESKS)?;
    call(&desk, |reply| DeskMsg::Decide(order, reply), Some(PATIENCE))
        .await
        .map_err(because("the desk"))
}

/// Whether orders can be decided now.
pub(crate) fn is_ready() -> bool {
    [PARTNERS, DESKS].into_iter().all(|group| member_of(group).is_ok())
}

fn member_of(group: &str) -> Result<ActorCell, String> {
    let members = pg::get_members(&group.to_owned());
    members
        .into_iter()
        .next()
        .ok_or_else(|| format!("nobody is in the group `{group}` now"))
}

fn because<E: Display>(whom: &str) -> impl FnOnce(E) -> String {
    move |error| format!("{whom}: {error}")
}
