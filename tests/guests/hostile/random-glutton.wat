;; Asks for more random bytes than there is memory.
(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
(func $attack (param i32 i32)
  (call $random (i64.const 0x7fffffffffffffff) (i32.const 64)))
