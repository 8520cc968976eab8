;; Answers with every environment variable and every argument of the process that it finds, each with an end of `;`.
(import "wasi:cli/environment@0.2.0" "get-environment" (func $variables (param i32)))
(import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
(global $answer (mut i32) (i32.const 2048))

(func $add (param $at i32) (param $length i32) (param $end i32)
  (memory.copy (global.get $answer) (local.get $at) (local.get $length))
  (global.set $answer (i32.add (global.get $answer) (local.get $length)))
  (i32.store8 (global.get $answer) (local.get $end))
  (global.set $answer (i32.add (global.get $answer) (i32.const 1))))

(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32)
  (local $at i32)
  (local $left i32)
  (global.set $answer (i32.const 2048))
  (call $variables (i32.const 64))
  (local.set $at (i32.load (i32.const 64)))
  (local.set $left (i32.load (i32.const 68)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (call $add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.const 0x3d))
      (call $add (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)) (i32.const 0x3b))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
  (call $arguments (i32.const 64))
  (local.set $at (i32.load (i32.const 64)))
  (local.set $left (i32.load (i32.const 68)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (call $add (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)) (i32.const 0x3b))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
  (call $some (i32.const 2048) (i32.sub (global.get $answer) (i32.const 2048))))
