;; Answers, asks after and drops calls that were never made.
(func $try (param $number i64)
  (if (call $is_waiting (local.get $number)) (then unreachable))
  (call $reply (local.get $number) (i32.const 288) (i32.const 6) (i32.const 64))
  (if (i32.ne (i32.load16_u (i32.const 64)) (i32.const 1)) (then unreachable))
  (call $drop_call (local.get $number)))
(func $attack (param i32 i32)
  (local $number i64)
  (local.set $number (i64.const 100000))
  (loop $more
    (call $try (local.get $number))
    (local.set $number (i64.sub (local.get $number) (i64.const 1)))
    (br_if $more (i64.gt_s (local.get $number) (i64.const -3)))))
