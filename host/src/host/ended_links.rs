//! What had passed over the links of sessions that have ended, for whoever adds up and looks only now and then.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::control::EndedLink;

/// The most sessions that are kept, the last ones to end.
const MOST_ENDED: usize = 512;

/// Those of one node. Clones are of the same ones.
#[derive(Clone, Default)]
pub(super) struct EndedLinks(Arc<Mutex<Ended>>);

#[derive(Default)]
struct Ended {
    links: VecDeque<EndedLink>,
    /// The number of the one to come.
    next: u64,
}

impl EndedLinks {
    pub(super) fn add(&self, link: EndedLink) {
        let mut ended = self.0.lock();
        if ended.links.len() >= MOST_ENDED {
            ended.links.pop_front();
        }
        ended.links.push_back(link);
        ended.next += 1;
    }

    /// Those from this number on that are kept, and the number of the next one to come.
    pub(super) fn since(&self, number: u64) -> (Vec<EndedLink>, u64) {
        let ended = self.0.lock();
        let first = ended.next - ended.links.len() as u64;
        let known = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        (ended.links.iter().skip(known).cloned().collect(), ended.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::LinkRowFigures;

    #[test]
    fn each_is_given_once_and_the_oldest_go_first() {
        let ended = EndedLinks::default();
        let add = |session| {
            ended.add(EndedLink {
                session,
                name: "beta@localhost".to_owned(),
                figures: LinkRowFigures::default(),
            });
        };
        let sessions = |(links, next): (Vec<EndedLink>, u64)| {
            let sessions: Vec<u64> = links.into_iter().map(|link| link.session).collect();
            (sessions, next)
        };
        assert_eq!(sessions(ended.since(0)), (vec![], 0));
        (0..3).for_each(add);
        assert_eq!(sessions(ended.since(1)), (vec![1, 2], 3));
        assert_eq!(sessions(ended.since(3)), (vec![], 3));
        (3..MOST_ENDED as u64 + 1).for_each(add);
        let (kept, next) = sessions(ended.since(0));
        assert_eq!((kept.len(), kept[0], next), (MOST_ENDED, 1, MOST_ENDED as u64 + 1));
    }
}
