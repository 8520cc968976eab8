//! What can be wrong with bytes from a peer.

/// Bytes that a peer sent and that are not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A frame announces more bytes than this node accepts.
    #[error("the peer announced a frame of {announced} bytes; this node accepts at most {limit}")]
    FrameTooLarge {
        /// The length in the frame's header.
        announced: u64,
        /// The limit in force, in bytes.
        limit: u64,
    },
    /// A frame's payload is not a protobuf `NetworkMessage`.
    #[error("the peer sent a frame that is not a cluster message: {0}")]
    Malformed(String),
}
