;; Answers with a hundred MiB.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32)
  (if (i32.eq (memory.grow (i32.const 1601)) (i32.const -1)) (then unreachable))
  (call $some (i32.const 4096) (i32.const 104857600)))
