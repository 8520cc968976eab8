//! Authentication between nodes. The stock crate has a public module of this name without public items; so has this
//! one. The handshake itself is in the `session` layer.
