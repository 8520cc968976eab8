;; Calls the actor that the arguments name, with the name `attacker` as arguments. Answers with that one's answer, or with
;; the error: two of them call each other.
(func (export "handle-call") (param i32 i32) (param $name i32) (param $length i32) (param i64) (result i32)
  (call $call (i64.const 0) (call $named (local.get $name) (local.get $length)) (i32.const 288) (i32.const 6)
    (i32.const 320) (i32.const 8) (i32.const 0) (i64.const 0) (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then (return (call $some (i32.const 68) (i32.const 1)))))
  (call $some (i32.load (i32.const 68)) (i32.load (i32.const 72))))
