;; Traps as soon as it lives.
(func (export "post-start") (result i32) unreachable)
