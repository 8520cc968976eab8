//! Which frames are kept: one of each kind and shape.

use anyhow::Context;

use crate::proxy::Recorded;
use crate::schema::describe;

/// A file, who sends its frame, the kind of message, and what its fields are: `key=value` is there, `key=*` is there
/// with any value, `!…` isn't there.
const WANTED: &str = "
auth-name                   initiator auth.name !connection_id=0
auth-status-ok              acceptor  auth.server_status status=0
auth-status-ok-simultaneous acceptor  auth.server_status status=1
auth-status-not-ok          acceptor  auth.server_status status=2
auth-client-status          initiator auth.client_status status=1
auth-challenge              acceptor  auth.server_challenge
auth-challenge-reply        initiator auth.client_challenge
auth-challenge-ack          acceptor  auth.server_ack
spawn-sync                  acceptor  control.spawn actors[0].pid=* actors[1].pid=*
spawn-pid-0-unnamed         initiator control.spawn actors[0].pid=0 !actors[0].name=* !actors[1].pid=*
spawn-late                  acceptor  control.spawn actors[0].name=late !actors[1].pid=*
spawn-late-unnamed          acceptor  control.spawn !actors[0].pid=0 !actors[0].name=* !actors[1].pid=*
pg-join-pid-0               acceptor  control.pg_join group=counters actors[0].pid=0
pg-join                     acceptor  control.pg_join group=counters actors[0].name=late
pg-join-scoped              acceptor  control.pg_join group=tools scope=workshop
pg-leave                    acceptor  control.pg_leave group=counters actors[0].name=late
pg-leave-scoped-pid-0       acceptor  control.pg_leave scope=workshop actors[0].pid=0
terminate                   acceptor  control.terminate ids[0]=* !ids[0]=0
terminate-pid-0             acceptor  control.terminate ids[0]=0
ready-initiator             initiator control.ready
ready-acceptor              acceptor  control.ready
ping                        acceptor  control.ping
pong                        initiator control.pong
enumerate-node-sessions     initiator control.enumerate_node_sessions
node-sessions               acceptor  control.node_sessions sessions[0].name=gamma@localhost
node-sessions-none          initiator control.node_sessions !sessions[0].name=*
cast                        initiator node.cast !to=0 variant=Add !metadata=*
cast-pid-0                  initiator node.cast to=0 variant=Add !metadata=*
cast-two-arguments          initiator node.cast variant=AddTo !metadata=*
cast-no-arguments           initiator node.cast !to=0 what= !metadata=*
cast-no-arguments-pid-0     initiator node.cast to=0 what= !metadata=*
cast-no-variant-metadata    initiator node.cast !what= variant= metadata=03
cast-metadata-empty         initiator node.cast metadata=
call                        initiator node.call !to=0 variant=AddAndGet !timeout_ms=* !metadata=*
call-pid-0                  initiator node.call to=0 what= !timeout_ms=* !metadata=*
call-timeout                initiator node.call !to=0 timeout_ms=2500 !metadata=*
call-timeout-pid-0          initiator node.call to=0 timeout_ms=2500
call-timeout-zero           initiator node.call timeout_ms=0
call-metadata               initiator node.call metadata=c0ffee
reply                       acceptor  node.reply !to=0 !what=
reply-pid-0                 acceptor  node.reply to=0 !what=
reply-empty                 acceptor  node.reply what=
reply-from-initiator        initiator node.reply
";

/// A frame that was looked for.
pub(crate) struct Golden<'a> {
    pub(crate) file: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) fields: Vec<String>,
    pub(crate) frame: &'a [u8],
}

/// One frame for each line of the table, or an error that names the first one that isn't among them.
pub(crate) fn choose(frames: &[Recorded]) -> anyhow::Result<Vec<Golden<'_>>> {
    WANTED
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| find(frames, line)?.with_context(|| format!("this frame wasn't seen: {line}")))
        .collect()
}

/// How many frames fit a line of the table.
pub(crate) fn count(frames: &[Recorded], sender: &str, kind: &str, fields: &[&str]) -> usize {
    frames
        .iter()
        .filter(|frame| fits(frame, sender, kind, fields).is_ok_and(|fields| fields.is_some()))
        .count()
}

fn find<'a>(frames: &'a [Recorded], line: &'static str) -> anyhow::Result<Option<Golden<'a>>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [file, sender, kind, conditions @ ..] = words.as_slice() else {
        anyhow::bail!("a line needs a file, a sender and a kind: {line}");
    };
    for recorded in frames {
        if let Some(fields) = fits(recorded, sender, kind, conditions)? {
            return Ok(Some(Golden {
                file,
                sender,
                kind,
                fields,
                frame: &recorded.1,
            }));
        }
    }
    Ok(None)
}

/// The fields of the frame, if it is what is looked for.
fn fits(
    (from, frame): &Recorded,
    sender: &str,
    kind: &str,
    conditions: &[&str],
) -> anyhow::Result<Option<Vec<String>>> {
    let described = describe(frame)?;
    let there = |condition: &str| {
        described.fields.iter().any(|field| match condition.strip_suffix('*') {
            Some(key) => field.starts_with(key),
            None => field == condition,
        })
    };
    let all = conditions.iter().all(|condition| match condition.strip_prefix('!') {
        Some(absent) => !there(absent),
        None => there(condition),
    });
    Ok((from.to_string() == sender && described.kind == kind && all).then_some(described.fields))
}
