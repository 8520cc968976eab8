;; Answers a call three times: through the import, once more through it, and by returning.
(data (i32.const 1024) "firstagainthird")
(func (export "handle-call") (param i32 i32 i32 i32) (param $reply_to i64) (result i32)
  (call $reply (local.get $reply_to) (i32.const 1024) (i32.const 5) (i32.const 64))
  (call $reply (local.get $reply_to) (i32.const 1029) (i32.const 5) (i32.const 64))
  ;; unknown-call
  (if (i32.ne (i32.load16_u (i32.const 64)) (i32.const 1)) (then unreachable))
  (call $some (i32.const 1034) (i32.const 5)))
