//! What stores of tests don't decide about themselves.

/// Methods of an [`EntityStore`](crate::EntityStore) that it leaves to the one in its field `states`: `read`, or all but that and `write`.
macro_rules! left_to_states {
    (read) => {
        fn read(
            &self,
            entity: &$crate::Entity,
            fence: Option<$crate::Fence>,
        ) -> Result<$crate::Stored, $crate::StoreError> {
            self.states.read(entity, fence)
        }
    };
    (others) => {
        fn keys(
            &self,
            of: &$crate::EntityType,
            after: Option<&$crate::EntityKey>,
            most: usize,
        ) -> Result<Vec<$crate::EntityKey>, $crate::StoreError> {
            self.states.keys(of, after, most)
        }

        fn due(
            &self,
            slots: std::ops::RangeInclusive<u8>,
            after: &$crate::DuePlace,
            until_ms: u64,
            most: usize,
        ) -> Result<Vec<$crate::StoredDue>, $crate::StoreError> {
            self.states.due(slots, after, until_ms, most)
        }

        fn forget_replies(&self, before_ms: u64) -> Result<(), $crate::StoreError> {
            self.states.forget_replies(before_ms)
        }
    };
}
pub(crate) use left_to_states;
