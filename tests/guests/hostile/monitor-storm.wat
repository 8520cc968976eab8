;; Begins and ends to monitor an actor and a group again and again, as fast as it can.
(func $attack (param i32 i32)
  (local $left i32)
  (local $target i64)
  (local.set $target (call $named (i32.const 304) (i32.const 7)))
  (local.set $left (i32.const 5000))
  (loop $more
    (call $monitor (i64.const 0) (local.get $target) (i32.const 64))
    (call $demonitor (i64.const 0) (local.get $target))
    (call $monitor_group (i32.const 288) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $demonitor_group (i32.const 288) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
