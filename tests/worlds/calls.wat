  ;; `Get` as before, and every other call fails for a reason.
  (func (export "ractor:actor/calls@0.1.0#handle-call")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (param $reply_to i64)
    (result i32)
    (i32.store (i32.const 16) (i32.const 0))
    (if (i32.eq (i32.load8_u (local.get $variant)) (i32.const 0x47))
      (then
        (call $count)
        (i32.store (i32.const 20) (i32.const 0))
        (i32.store (i32.const 24) (i32.const 2048)) (i32.store (i32.const 28) (i32.const 8)))
      (else
        (i32.store (i32.const 20) (i32.const 2))
        (i32.store (i32.const 24) (i32.const 400)) (i32.store (i32.const 28) (i32.const 7))))
    (i32.const 16))
