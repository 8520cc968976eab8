//! Supervision events, as guests hear of them.

use ractor::{ActorCell, SupervisionEvent, pg};

use crate::accounting::family::Family;
use crate::component::bindings::types::{Ending, GroupChange, Membership, Subject, SupervisionEvent as Event};
use crate::directory;
use crate::store::pid;

/// The event in the words of the WIT world, as a member of this family knows the names; none if that has no words for it.
pub(super) fn for_guest(event: SupervisionEvent, family: &Family) -> Option<Event> {
    let subject = |actor: &ActorCell| subject(actor, family);
    Some(match event {
        SupervisionEvent::ActorStarted(actor) => Event::ActorStarted(subject(&actor)),
        SupervisionEvent::ActorTerminated(actor, _, reason) => Event::ActorTerminated(Ending {
            actor: subject(&actor),
            reason,
        }),
        SupervisionEvent::ActorFailed(actor, error) => Event::ActorFailed(Ending {
            actor: subject(&actor),
            reason: Some(error.to_string()),
        }),
        SupervisionEvent::ProcessGroupChanged(change) => Event::GroupChanged(group_change(&change)),
        _ => return None,
    })
}

fn subject(actor: &ActorCell, family: &Family) -> Subject {
    // An actor of another node may have a name that begins like the family's, and isn't of it.
    let is_ours = directory::is_ours(actor.get_id());
    let shown = |name: String| {
        if is_ours { family.shown(&name).to_owned() } else { name }
    };
    Subject {
        pid: pid::of(actor.get_id()),
        name: actor.get_name().map(shown),
    }
}

fn group_change(change: &pg::GroupChangeMessage) -> GroupChange {
    let (membership, actors) = match change {
        pg::GroupChangeMessage::Join(_, _, actors) => (Membership::Joined, actors),
        pg::GroupChangeMessage::Leave(_, _, actors) => (Membership::Left, actors),
    };
    let scope = change.get_scope();
    GroupChange {
        scope: (scope != pg::DEFAULT_SCOPE).then_some(scope),
        group: change.get_group(),
        change: membership,
        actors: actors.iter().map(|actor| pid::of(actor.get_id())).collect(),
    }
}
