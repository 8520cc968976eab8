;; Never comes back from a call: for whoever wants to kill an actor in the middle of one.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32) (call $spin) unreachable)
