;; Never comes back from a cast, nor from a call.
(func $attack (param i32 i32) (call $spin))
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32) (call $spin) unreachable)
