;; Starts a child of its own kind, which starts a child of its own kind, and so on.
(func (export "post-start") (result i32)
  (drop (call $spawn_child (i32.const 320) (i32.const 8) (i32.const 0)))
  (call $ok))
