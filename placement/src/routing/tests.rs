//! One sender and one receiver, message by message.
