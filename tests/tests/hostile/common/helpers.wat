  ;; Memory: 16..64 what exports return, 64..256 what imports return, 256..1024 constants, 1024..4096 the guest's own,
  ;; 4096.. the heap, which is never freed.
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))
  (data (i32.const 256) "Hostile")
  (data (i32.const 272) "0.1.0")
  (data (i32.const 288) "attack")
  (data (i32.const 304) "witness")
  (data (i32.const 320) "attacker")

  (func $allocate (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more)))
    (local.get $at))

  ;; What exports return, at 16.
  (func $ok (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  (func $none (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store8 (i32.const 20) (i32.const 0))
    (i32.const 16))
  (func $some (param $at i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store8 (i32.const 20) (i32.const 1))
    (i32.store (i32.const 24) (local.get $at))
    (i32.store (i32.const 28) (local.get $length))
    (i32.const 16))

  ;; The id of this actor.
  (func $me (result i64)
    (call $self_pid (i32.const 64))
    (i64.load (i32.const 72)))
  ;; The id of the actor of this node that has this name; none traps.
  (func $named (param $name i32) (param $length i32) (result i64)
    (call $where_is (local.get $name) (local.get $length) (i32.const 64))
    (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))
    (i64.load (i32.const 80)))
  ;; A child without name and arguments. The result is at 64: not 0 if there is none.
  (func $spawn_child (param $module i32) (param $length i32) (param $restart i32) (result i32)
    (call $spawn (local.get $module) (local.get $length)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (local.get $restart) (i32.const 64))
    (i32.load8_u (i32.const 64)))
  (func $spin (loop $for_ever (br $for_ever)))
