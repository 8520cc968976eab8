;; Casts a KiB to the actor that the arguments name, without end, until it is refused.
(func $attack (param $name i32) (param $length i32)
  (local $target i64)
  (local.set $target (call $named (local.get $name) (local.get $length)))
  (loop $more
    (call $cast (i64.const 0) (local.get $target) (i32.const 288) (i32.const 6) (i32.const 4096) (i32.const 1024)
      (i32.const 64))
    (br_if $more (i32.eqz (i32.load8_u (i32.const 64))))))
