;; Starts timers for itself without end, as many and as frequent as it can.
(func $attack (param i32 i32)
  (local $me i64)
  (local $left i32)
  (local.set $me (call $me))
  (local.set $left (i32.const 20000))
  (loop $more
    (call $send_interval (i64.const 0) (local.get $me) (i32.const 1024) (i32.const 0) (i32.const 4096) (i32.const 1024)
      (i64.const 0) (i32.const 64))
    (call $send_after (i64.const 0) (local.get $me) (i32.const 1024) (i32.const 0) (i32.const 4096) (i32.const 1024)
      (i64.const 0) (i32.const 64))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
