;; Traps before it lives.
(func (export "pre-start") (param i32 i32) (result i32) unreachable)
