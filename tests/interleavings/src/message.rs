//! The part of ractor's messages that a mailbox looks at.

/// A message as bytes.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as ractor has it")]
pub enum SerializedMessage {
    Cast {
        variant: String,
        args: Vec<u8>,
        metadata: Option<Vec<u8>>,
    },
    Call {
        variant: String,
        args: Vec<u8>,
        metadata: Option<Vec<u8>>,
    },
    CallReply(u64, Vec<u8>),
}
