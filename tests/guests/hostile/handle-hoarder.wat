;; Opens pollables and never drops one.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(func $attack (param i32 i32)
  (loop $more
    (drop (call $subscribe (i64.const 1)))
    (br $more)))
