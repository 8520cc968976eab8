;; Stops while it handles a call, and answers it.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32)
  (call $stop (i32.const 1) (i32.const 288) (i32.const 6))
  (call $some (i32.const 320) (i32.const 8)))
