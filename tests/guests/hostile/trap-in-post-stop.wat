;; Stops, and traps as it does.
(func $attack (param i32 i32)
  (call $stop (i32.const 0) (i32.const 0) (i32.const 0)))
(func (export "post-stop") (result i32) unreachable)
