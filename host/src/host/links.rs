//! The sessions of a node, as an operator sees them.

use std::time::Duration;

use futures_util::future::join_all;
use ractor::ActorRef;

use super::lately::{microseconds, milliseconds};
use crate::control::{LinkRow, LinkRowFigures, OpenedBy, PeerVersion, Traffic, WantedGroups, WantedMembers};
use crate::node::{
    GroupInterest, GroupMembers, LinkFigures, NameMessage, NodeServerMessage, NodeServerSessionInformation,
    TrafficFigures, link_figures,
};

/// The longest that a session may take to say how it is. It is busy only while the node decides about it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The sessions with nodes that have said their names, in the order of these.
///
/// # Errors
/// The node is going down.
pub(super) async fn all(server: &ActorRef<NodeServerMessage>) -> Result<Vec<LinkRow>, String> {
    let sessions = sessions(server).await?;
    let mut rows = join_all(sessions.into_iter().filter_map(|session| {
        let name = session.peer_name.clone()?;
        Some(row(session, name))
    }))
    .await;
    rows.sort_by(|a, b| (&a.name, a.session).cmp(&(&b.name, b.session)));
    Ok(rows)
}

/// The figures of all sessions that say them, by the numbers of these.
pub(super) async fn figures(server: &ActorRef<NodeServerMessage>) -> Vec<(u64, LinkRowFigures)> {
    let sessions = sessions(server).await.unwrap_or_default();
    let asked = sessions.into_iter().map(async |session| {
        let figures = link_figures(&session.actor, PATIENCE).await?;
        Some((session.node_id, in_row(&figures)))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn sessions(server: &ActorRef<NodeServerMessage>) -> Result<Vec<NodeServerSessionInformation>, String> {
    let sessions = server.call(NodeServerMessage::GetSessions, None).await;
    let sessions = sessions.map_err(|error| error.to_string())?;
    let sessions = sessions.success_or("the node is going down")?;
    Ok(sessions.into_values().collect())
}

async fn row(session: NodeServerSessionInformation, name: NameMessage) -> LinkRow {
    let figures = link_figures(&session.actor, PATIENCE).await;
    let flags = name.flags.unwrap_or_default();
    LinkRow {
        session: session.node_id,
        opened: if session.is_server {
            OpenedBy::Peer
        } else {
            OpenedBy::Us
        },
        // A stock node announces nothing beyond the protocol that it has.
        version: if flags.capabilities == 0 && flags.incarnation == 0 {
            PeerVersion::Stock
        } else {
            PeerVersion::RactorHost
        },
        incarnation: flags.incarnation,
        figures: figures.as_ref().map(in_row),
        wants: figures.and_then(|figures| figures.groups).as_ref().map(wanted),
        name: name.name,
        address: name.connection_string,
    }
}

/// The groups that a peer wants to know of.
fn wanted(groups: &GroupInterest) -> Vec<WantedGroups> {
    let wanted = groups.patterns().iter().map(|wanted| WantedGroups {
        pattern: wanted.pattern.clone(),
        members: match wanted.members {
            GroupMembers::Every => WantedMembers::Every,
            GroupMembers::OnePerNode => WantedMembers::OnePerNode,
        },
    });
    wanted.collect()
}

pub(super) fn in_row(figures: &LinkFigures) -> LinkRowFigures {
    let dead_letters = figures.dead_letters().filter(|(_, count)| *count > 0);
    LinkRowFigures {
        up_ms: milliseconds(figures.up),
        round_trip_us: figures.round_trip.map(microseconds),
        sent: traffic(&figures.sent),
        received: traffic(&figures.received),
        outbox_bytes: figures.outbox_bytes,
        outbox_limit: figures.outbox_limit,
        dead_letters: dead_letters.map(|(reason, count)| (reason.to_owned(), count)).collect(),
        lately: None,
    }
}

fn traffic(of: &TrafficFigures) -> Traffic {
    let TrafficFigures {
        casts,
        calls,
        replies,
        control,
        bytes,
    } = *of;
    Traffic {
        casts,
        calls,
        replies,
        control,
        bytes,
    }
}
