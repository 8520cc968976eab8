;; Calls the actor that the arguments name with the variant by which the host itself asks how far an actor has come, much in
;; the arguments, and no patience.
(data (i32.const 1024) "\00probe")
(func $attack (param $name i32) (param $length i32)
  (local $target i64)
  (local $left i32)
  (local.set $target (call $named (local.get $name) (local.get $length)))
  (drop (memory.grow (i32.const 16)))
  (local.set $left (i32.const 300))
  (loop $more
    (call $call (i64.const 0) (local.get $target) (i32.const 1024) (i32.const 6) (i32.const 4096) (i32.const 524288)
      (i32.const 1) (i64.const 0) (i32.const 64))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
