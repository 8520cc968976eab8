;; Starts a child and traps when it hears that it lives.
(func $attack (param i32 i32)
  (drop (call $spawn_child (i32.const 304) (i32.const 7) (i32.const 0))))
(func (export "handle-supervisor-evt") (param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
