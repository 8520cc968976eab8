;; Waits in WASI for what will never come: for longer than any clock counts.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(func $attack (param i32 i32)
  (call $block (call $subscribe (i64.const -1))))
(func (export "pre-start") (param i32) (param $length i32) (result i32)
  (if (local.get $length) (then (call $attack (i32.const 0) (i32.const 0))))
  (call $ok))
