;; Traps at a call.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32) unreachable)
