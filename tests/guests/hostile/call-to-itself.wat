;; Calls itself from within a call. Answers with the error.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32)
  (call $call (i64.const 0) (call $me) (i32.const 288) (i32.const 6) (i32.const 0) (i32.const 0)
    (i32.const 0) (i64.const 0) (i32.const 64))
  (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))
  (call $some (i32.const 68) (i32.const 1)))
