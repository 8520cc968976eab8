;; Joins and leaves a group again and again, as fast as it can.
(func $attack (param i32 i32)
  (local $left i32)
  (local.set $left (i32.const 10000))
  (loop $more
    (call $join (i32.const 288) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $leave (i32.const 288) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
