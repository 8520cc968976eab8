;; Begins what never ends: with `n` it looks up a name, with `f` it opens the file `hang` of its first directory.
(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
(import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $look_up (param i32 i32 i32 i32)))
(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.open-at"
  (func $open (param i32 i32 i32 i32 i32 i32 i32)))
(data (i32.const 1024) "silent.example")
(data (i32.const 1040) "hang")
(func $attack (param $args i32) (param i32)
  (if (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x6e)) (then ;; n
    (call $look_up (call $network) (i32.const 1024) (i32.const 14) (i32.const 2048))))
  (if (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x66)) (then ;; f
    (call $directories (i32.const 64))
    (call $open (i32.load (i32.load (i32.const 64))) (i32.const 1) (i32.const 1040) (i32.const 4)
      (i32.const 0) (i32.const 1) (i32.const 2048)))))
