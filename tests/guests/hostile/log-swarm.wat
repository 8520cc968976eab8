;; Starts two hundred children, one after the other, each of which logs a hundred events and fails.
(data (i32.const 1024) "swarming")

;; Only children have start arguments.
(func (export "pre-start") (param i32) (param $length i32) (result i32)
  (if (local.get $length) (then (call $flood)))
  (call $ok))

(func $flood
  (local $left i32)
  (local.set $left (i32.const 100))
  (loop $more
    (call $log (i32.const 3) (i32.const 1024) (i32.const 8) (i32.const 1024) (i32.const 8) (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  unreachable)

(func $attack (param i32 i32)
  (local $left i32)
  (local.set $left (i32.const 200))
  (loop $more
    (call $spawn (i32.const 320) (i32.const 8)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 64))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
